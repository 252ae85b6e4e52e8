#include "bank/service.h"

#include <memory>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "protocol/reason.h"
#include "runtime/parked.h"

namespace strife::bank {

using protocol::BankCommand;
using protocol::BankReply;
using protocol::BankTransactionRecord;
using rpc::ApiCode;
using rpc::ApiError;
using rpc::Caller;
using rpc::Done;
using rpc::InvalidField;
using ParkedDirect = runtime::Parked<protocol::DirectAnswer>;

namespace {

ApiError Draining() {
  return {.code = ApiCode::kUnavailable,
          .reason_code = "DRAINING",
          .message = "the bank is shutting down; send it again later",
          .retryable = true};
}

ApiError StorageFull() {
  return {.code = ApiCode::kResourceExhausted,
          .reason_code = std::string(protocol::reason::kStorageFull),
          .message = "the bank has no disk space left for new work; nothing was recorded, free some and send it again",
          .retryable = true};
}

ApiError ReadFailed() {
  return {.code = ApiCode::kInternal,
          .reason_code = "STORAGE",
          .message = "the bank cannot read its store; its operator finds the reason in bank.log"};
}

// The replies to one message, filled in slot by slot on the engine's thread; the last one answers the call.
struct PendingBatch {
  PendingBatch(std::vector<BankReply> empty, std::size_t count, Done<std::vector<BankReply>> done_in,
               std::atomic<std::size_t>& queued_in)
      : replies(std::move(empty)), left(count), done(std::move(done_in)), queued(queued_in) {}

  std::vector<BankReply> replies;
  std::size_t left;
  Done<std::vector<BankReply>> done;
  std::atomic<std::size_t>& queued;
};

}  // namespace

void BankService::Execute(Caller, std::vector<BankCommand> commands, Done<std::vector<BankReply>> done) {
  if (draining_) return done(std::unexpected(Draining()));
  const std::size_t count = commands.size();
  if (count == 0) return done(std::vector<BankReply>{});
  if (count > limits::kMaxCommandsPerBatch) {
    return done(std::unexpected(InvalidField("commands", "has too many entries; split the batch")));
  }
  if (queued_commands_.fetch_add(count) + count > limits::kMaxQueuedCommands) {
    queued_commands_.fetch_sub(count);
    return done(std::unexpected(rpc::Overloaded("the bank")));
  }
  auto batch = std::make_unique<PendingBatch>(std::vector<BankReply>(count), count, std::move(done), queued_commands_);
  std::vector<protocol::ParticipantInput> inputs;
  inputs.reserve(count);
  const WallTime arrived = parts_.clock.Read().wall;
  for (std::size_t i = 0; i < count; ++i) {
    const protocol::ReplyTo reply_to{reinterpret_cast<std::uintptr_t>(batch.get()), static_cast<std::uint32_t>(i)};
    inputs.push_back(protocol::CommandInput{reply_to, std::move(commands[i]), parts_.disk.low(), arrived});
  }
  if (parts_.submit(std::move(inputs))) {
    static_cast<void>(batch.release());  // Deliver takes it back with the last reply
    return;
  }
  queued_commands_.fetch_sub(count);
  batch->done(std::unexpected(rpc::Overloaded("the bank")));
}

void BankService::GetBalance(Caller, std::string account_id, Done<rpc::Balance> done) {
  if (!IsIdentifier(account_id, limits::kMaxAccountIdBytes)) {
    return done(std::unexpected(InvalidField("account_id", "is not an account id")));
  }
  auto shared_done = std::make_shared<Done<rpc::Balance>>(std::move(done));
  const bool accepted = parts_.workers.Submit([this, account_id = std::move(account_id), shared_done] {
    const auto found = parts_.reader.FindAccount(account_id);
    if (!found) return (*shared_done)(std::unexpected(ReadFailed()));
    if (!*found || (*found)->kind != protocol::AccountKind::kCustomer) {
      return (*shared_done)(std::unexpected(
          ApiError{.code = ApiCode::kNotFound, .reason_code = "AC01", .message = "there is no such account"}));
    }
    const protocol::AccountRecord& account = **found;
    (*shared_done)(rpc::Balance{.posted = {account.posted, account.currency},
                                .held = {account.held, account.currency},
                                .available = {account.posted - account.held, account.currency},
                                .as_of = parts_.clock.Read().wall});
  });
  if (!accepted) (*shared_done)(std::unexpected(rpc::Overloaded("the bank")));
}

void BankService::GetTransactionStatus(Caller, std::string transaction_id, Done<rpc::TransactionStatus> done) {
  const auto id = Uuid::Parse(transaction_id);
  if (!id) return done(std::unexpected(InvalidField("transaction_id", "must be a UUID")));
  auto shared_done = std::make_shared<Done<rpc::TransactionStatus>>(std::move(done));
  const bool accepted = parts_.workers.Submit([this, id = *id, shared_done] {
    auto found = parts_.reader.FindTransaction(id);
    if (!found) return (*shared_done)(std::unexpected(ReadFailed()));
    rpc::TransactionStatus status{.record = *std::move(found), .trace = {}};
    if (status.record) {
      const auto bytes = parts_.reader.FindTrace(id);
      if (!bytes) return (*shared_done)(std::unexpected(ReadFailed()));
      status.trace = protocol::Trace::Decode(*bytes, status.record->created_at).value_or(protocol::Trace());
    }
    (*shared_done)(std::move(status));
  });
  if (!accepted) (*shared_done)(std::unexpected(rpc::Overloaded("the bank")));
}

void BankService::GetLedgerTotals(Caller, Done<rpc::LedgerTotalsResponse> done) {
  auto shared_done = std::make_shared<Done<rpc::LedgerTotalsResponse>>(std::move(done));
  const bool accepted = parts_.workers.Submit([this, shared_done] {
    auto totals = parts_.reader.Totals();
    if (!totals) return (*shared_done)(std::unexpected(ReadFailed()));
    (*shared_done)(rpc::LedgerTotalsResponse{*std::move(totals), prepared_.load(), parts_.clock.Read().wall});
  });
  if (!accepted) (*shared_done)(std::unexpected(rpc::Overloaded("the bank")));
}

void BankService::ProcessTransaction(Caller caller, rpc::DirectRequest request, Done<rpc::DirectResponse> done) {
  const auto id = Uuid::Parse(request.transaction_id);
  if (!id) return done(std::unexpected(InvalidField("transaction_id", "must be a UUID")));
  if (!IsIdentifier(request.account_id, limits::kMaxAccountIdBytes)) {
    return done(std::unexpected(InvalidField("account_id", "is not an account id")));
  }
  const auto currency = Currency::Parse(request.currency);
  if (!currency) return done(std::unexpected(InvalidField("amount.currency", "is not an ISO 4217 currency code")));
  if (request.minor_units <= 0 || request.minor_units > limits::kMaxAmountMinorUnits) {
    return done(std::unexpected(
        InvalidField("amount.minor_units", "must be 1 to " + std::to_string(limits::kMaxAmountMinorUnits))));
  }
  if (draining_) return done(std::unexpected(Draining()));
  if (parts_.disk.low()) return done(std::unexpected(StorageFull()));
  auto shared_done = std::make_shared<Done<rpc::DirectResponse>>(std::move(done));
  const protocol::ReplyTo reply_to = ParkedDirect::Park([shared_done](protocol::DirectAnswer answer) {
    (*shared_done)(rpc::DirectResponse{std::move(answer.reason_code), answer.posted});
  });
  std::vector<protocol::ParticipantInput> inputs;
  inputs.push_back(protocol::DirectInput{reply_to,
                                         *id,
                                         std::move(request.account_id),
                                         {request.minor_units, *currency},
                                         request.deposit,
                                         {"operator/" + caller.certificate->identity.name, caller.peer_address}});
  if (parts_.submit(std::move(inputs))) return;
  static_cast<void>(ParkedDirect::Take(reply_to));
  (*shared_done)(std::unexpected(rpc::Overloaded("the bank")));
}

std::optional<GatewaySeen> BankService::gateway_seen() const {
  std::unique_lock lock(mutex_);
  return gateway_seen_;
}

void BankService::Deliver(protocol::ParticipantEffects effects) {
  prepared_ = parts_.participant.prepared_count();
  if (effects.records.gateway_seen) {
    std::unique_lock lock(mutex_);
    gateway_seen_ = effects.records.gateway_seen;
  }
  for (protocol::CommandAnswer& answer : effects.answers) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the core keeps it as an opaque number
    auto* batch = reinterpret_cast<PendingBatch*>(static_cast<std::uintptr_t>(answer.reply_to.call));
    batch->replies[answer.reply_to.slot] = std::move(answer.reply);
    if (--batch->left > 0) continue;
    const std::unique_ptr<PendingBatch> finished(batch);
    finished->queued.fetch_sub(finished->replies.size());
    finished->done(std::move(finished->replies));
  }
  for (protocol::DirectAnswer& answer : effects.direct_answers) {
    const protocol::ReplyTo reply_to = answer.reply_to;
    ParkedDirect::Take(reply_to)(std::move(answer));
  }
  for (protocol::HeuristicAnswer& answer : effects.heuristic_answers) {
    const protocol::ReplyTo reply_to = answer.reply_to;
    runtime::Parked<protocol::HeuristicAnswer>::Take(reply_to)(std::move(answer));
  }
  for (protocol::InDoubtAnswer& answer : effects.in_doubt_answers) {
    const protocol::ReplyTo reply_to = answer.reply_to;
    runtime::Parked<protocol::InDoubtAnswer>::Take(reply_to)(std::move(answer));
  }
  for (const protocol::ReplyTo& reply_to : effects.audit_answers) {
    if (reply_to.call != 0) runtime::Parked<bool>::Take(reply_to)(true);
  }
  for (const protocol::Inquiry& inquiry : effects.inquiries) parts_.inquire(inquiry);
  parts_.metrics.Durable(effects.records.transactions);
  auto trace = effects.records.traces.begin();
  for (const BankTransactionRecord& record : effects.records.transactions) {
    const bool traced = trace != effects.records.traces.end() && trace->id == record.id;
    Log(record, traced ? &*trace++ : nullptr);
  }
  for (const protocol::ParticipantEvent& event : effects.events) Log(event);
}

void BankService::Log(const protocol::ParticipantEvent& event) {
  using Kind = protocol::ParticipantEvent::Kind;
  const auto [name, level] = [&]() -> std::pair<std::string_view, LogLevel> {
    switch (event.kind) {
      case Kind::kProtocolViolation:
        return {"protocol_violation", LogLevel::kCritical};
      case Kind::kStaleGateway:
        return {"stale_gateway", LogLevel::kWarning};
      case Kind::kProposed:
        return {"heuristic_proposed", LogLevel::kWarning};
      case Kind::kForced:
        return {"heuristic_forced", LogLevel::kCritical};
      case Kind::kAgreed:
        return {"heuristic_agreed", LogLevel::kWarning};
      case Kind::kMixed:
        return {"heuristic_mixed", LogLevel::kCritical};
      case Kind::kAcknowledged:
        return {"heuristic_acknowledged", LogLevel::kWarning};
    }
    return {"event", LogLevel::kWarning};
  }();
  parts_.events.Count(name);
  parts_.log.Write(level, LogLine(name).Add("id", event.id).Add("what", event.what));
}

void BankService::Log(const BankTransactionRecord& record, const protocol::TraceRecord* trace) {
  const bool ended = record.state != protocol::BankTransactionState::kPrepared;
  const LogLevel level = ended ? LogLevel::kInfo : LogLevel::kDebug;
  if (!parts_.log.Enabled(level)) return;
  LogLine line("transaction");
  line.Add("id", record.id).Add("state", protocol::StateName(record.state));
  if (!record.debit_account.empty()) line.Add("debit", record.debit_account);
  if (!record.credit_account.empty()) line.Add("credit", record.credit_account);
  if (record.amount.minor_units != 0) line.Add(record.amount);
  if (!record.reason_code.empty()) line.Add("reason", record.reason_code);
  if (const auto context = trace != nullptr ? protocol::Trace::ContextOf(trace->bytes) : std::nullopt) {
    line.Add("trace_id", protocol::TraceIdText(*context));
  }
  line.Add("epoch", record.epoch).Add("duration_us", record.updated_at - record.created_at);
  parts_.log.Write(level, line);
}

}  // namespace strife::bank
