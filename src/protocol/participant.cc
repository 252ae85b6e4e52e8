#include "protocol/participant.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"
#include "protocol/bank_own_transactions.h"
#include "protocol/defect.h"
#include "protocol/legs.h"
#include "protocol/reason.h"

namespace strife::protocol {

namespace {

// A damaged store: its index of prepared transactions and its table are at odds, so the accounts were not loaded.
constexpr std::string_view kNotFoundAtStart =
    "the transaction is prepared, but was not among those the store named at start: the database is damaged";

BankReply Answer(const BankCommand& command, CommandOutcome outcome, std::string_view reason_code = {},
                 std::string_view message = {}) {
  return {command.kind, command.id, outcome, std::string(reason_code), std::string(message)};
}

}  // namespace

Participant::Participant(ParticipantOptions options) : options_(std::move(options)) {
  STRIFE_ASSERT(!options_.bank_id.empty());
}

void Participant::Recover(const Now& now, std::vector<BankTransactionRecord> undecided,
                          std::optional<GatewaySeen> gateway_seen, std::vector<HeuristicRecord> heuristics,
                          const std::unordered_map<Uuid, std::string>& traces) {
  STRIFE_ASSERT(prepared_.empty());
  gateway_seen_ = gateway_seen;
  for (HeuristicRecord& record : heuristics) {
    const Uuid id = record.transaction_id;
    heuristics_.emplace(id, std::move(record));
  }
  for (BankTransactionRecord& record : undecided) {
    const Uuid id = record.id;
    Trace trace;
    if (const auto stored = traces.find(id); stored != traces.end()) {
      trace = Trace::Decode(stored->second, record.created_at).value_or(Trace());
    }
    trace.Add({.kind = StepKind::kTakenUp, .at = now.wall});
    prepared_.emplace(id,
                      Prepared{.record = std::move(record), .next_inquiry = now.monotonic, .trace = std::move(trace)});
    if (!Mutated(Defect::kNoInquiryAtStart)) deadlines_.Add(now.monotonic, id);
  }
}

void Participant::CollectKeys(const Input& input, Keys& keys) const {
  const auto add_transaction = [&](const Uuid& id) {
    const auto found = prepared_.find(id);
    if (found == prepared_.end()) {
      keys.transactions.push_back(id);
      return;
    }
    for (const Transfer& transfer : TransfersOf(found->second.record)) {
      keys.accounts.push_back(transfer.from);
      keys.accounts.push_back(transfer.to);
    }
  };
  if (const auto* command = std::get_if<CommandInput>(&input)) {
    const BankCommand& c = command->command;
    add_transaction(c.id);
    if (c.kind != CommandKind::kPrepare) return;
    if (c.from.bank_id == options_.bank_id) keys.accounts.push_back(c.from.account_id);
    if (c.to.bank_id == options_.bank_id) keys.accounts.push_back(c.to.account_id);
    keys.accounts.push_back(InternalAccountId(AccountKind::kClearing, c.amount.currency));
  } else if (const auto* answer = std::get_if<InquiryAnswered>(&input)) {
    add_transaction(answer->id);
  } else if (const auto* force = std::get_if<ForceInput>(&input)) {
    add_transaction(force->id);
  } else if (const auto* direct = std::get_if<DirectInput>(&input)) {
    add_transaction(direct->id);
    keys.accounts.push_back(direct->account_id);
    keys.accounts.push_back(InternalAccountId(AccountKind::kCash, direct->amount.currency));
  } else if (const auto* open = std::get_if<OpenAccountInput>(&input)) {
    keys.accounts.push_back(open->account_id);
    keys.accounts.push_back(InternalAccountId(AccountKind::kOpening, open->opening.currency));
  }
}

Participant::Effects Participant::Step(const Now& now, std::vector<Input> inputs, Rows rows) {
  Batch batch(now, std::move(rows));
  batch.effects.answers.reserve(inputs.size());
  for (Input& input : inputs) {
    std::visit([&](auto& typed) { Apply(batch, typed); }, input);
  }
  AskAboutLateDecisions(batch);
  return batch.Finish();
}

void Participant::Apply(Batch& batch, AuditInput& input) {
  batch.effects.records.audit.push_back(std::move(input.record));
  batch.effects.audit_answers.push_back(input.reply_to);
}

void Participant::Apply(Batch& batch, CommandInput& input) {
  const BankCommand& command = input.command;
  // A transaction held in memory is as good as a loaded row.
  if (const auto held = prepared_.find(command.id); held != prepared_.end() && !batch.FindTransaction(command.id)) {
    batch.PutTransaction(held->second.record);
  }
  NoteGateway(batch, command);
  Trace trace;
  if (const auto held = prepared_.find(command.id); held != prepared_.end()) {
    trace = std::move(held->second.trace);
  } else if (const BankTransactionRecord* known = batch.FindTransaction(command.id)) {
    trace = batch.StoredTrace(*known);
  }
  BankReply reply;
  switch (command.kind) {
    case CommandKind::kPrepare:
      reply = input.storage_full && batch.FindTransaction(command.id) == nullptr
                  ? Answer(command, CommandOutcome::kNo, reason::kStorageFull, reason::Describe(reason::kStorageFull))
                  : Prepare(batch, command);
      break;
    case CommandKind::kCommit:
      reply = Commit(batch, command);
      break;
    case CommandKind::kAbort:
      reply = Abort(batch, command);
      break;
  }
  NoteCommand(batch, input, reply, std::move(trace));
  if (reply.outcome == CommandOutcome::kViolation) {
    batch.effects.events.push_back({ParticipantEvent::Kind::kProtocolViolation, command.id, reply.message});
  }
  if (input.reply_to.call != 0) batch.effects.answers.push_back({input.reply_to, std::move(reply)});
}

std::optional<BankReply> Participant::RefuseStale(Batch& batch, BankTransactionRecord& known,
                                                  const BankCommand& command) {
  if (known.kind != BankTransactionKind::kPayment) {
    return Answer(command, CommandOutcome::kViolation, reason::kDuplicate,
                  "this id belongs to a transaction of the bank itself");
  }
  if (command.epoch < known.epoch && !Mutated(Defect::kStaleGatewayObeyed)) {
    batch.effects.events.push_back(
        {ParticipantEvent::Kind::kStaleGateway, command.id, "a replaced gateway still sends commands"});
    return Answer(command, CommandOutcome::kStale, reason::kStaleEpoch, reason::Describe(reason::kStaleEpoch));
  }
  if (command.epoch > known.epoch) {
    known.epoch = command.epoch;
    batch.Changed(known);
    if (const auto held = prepared_.find(known.id); held != prepared_.end()) held->second.record.epoch = known.epoch;
  }
  return std::nullopt;
}

namespace {

// In a currency that this version does not know. What cannot be read is not put on record, only that it was refused.
BankReply RefuseUnreadable(BankWorkingSet& batch, BankTransactionRecord record, const BankCommand& command) {
  record.state = BankTransactionState::kAborted;
  record.reason_code = reason::kAccountCurrency;
  batch.Changed(batch.PutTransaction(std::move(record)));
  return Answer(command, CommandOutcome::kNo, reason::kAccountCurrency, reason::Describe(reason::kAccountCurrency));
}

}  // namespace

BankReply Participant::Prepare(Batch& batch, const BankCommand& command) {
  if (BankTransactionRecord* known = batch.FindTransaction(command.id)) {
    if (auto refusal = RefuseStale(batch, *known, command)) return *std::move(refusal);
    return PrepareAgain(*known, command);
  }
  const bool debit = command.from.bank_id == options_.bank_id;
  const bool credit = command.to.bank_id == options_.bank_id;
  // A leg here without an account would be left out, and the other one would move money out of nothing. A name that no
  // account can have is not put on record either, not even as refused: it may be of any length.
  const auto no_name = [](const std::string& account) {
    return account.empty() || account.size() > limits::kMaxAccountIdBytes || !IsPrintableUtf8(account);
  };
  const bool nameless = (debit && no_name(command.from.account_id)) || (credit && no_name(command.to.account_id));
  if (nameless || (!debit && !credit)) {
    return Answer(command, CommandOutcome::kViolation, reason::kProtocolViolation,
                  "prepare for a payment without an account at this bank");
  }
  BankTransactionRecord record;
  record.id = command.id;
  record.epoch = command.epoch;
  record.gateway_store_id = command.gateway_store_id;
  record.created_at = batch.now.wall;
  if (command.amount.currency == Currency()) return RefuseUnreadable(batch, std::move(record), command);
  record.debit_account = debit ? command.from.account_id : "";
  record.credit_account = credit ? command.to.account_id : "";
  record.amount = command.amount;
  record.reason_code = HoldLegs(batch, record);
  if (!record.reason_code.empty()) {
    record.state = BankTransactionState::kAborted;
    record.amount.minor_units = std::max<std::int64_t>(record.amount.minor_units, 0);  // stores keep none below zero
    BankReply no = Answer(command, CommandOutcome::kNo, record.reason_code, reason::Describe(record.reason_code));
    batch.Changed(batch.PutTransaction(std::move(record)));
    return no;
  }
  record.state = BankTransactionState::kPrepared;
  BankTransactionRecord& stored = batch.PutTransaction(std::move(record));
  batch.Changed(stored);
  const MonotonicTime first_inquiry = batch.now.monotonic + options_.inquiry_delay;
  prepared_.emplace(command.id, Prepared{.record = stored, .next_inquiry = first_inquiry});
  deadlines_.Add(first_inquiry, command.id);
  return Answer(command, CommandOutcome::kYes);
}

BankReply Participant::PrepareAgain(const BankTransactionRecord& known, const BankCommand& command) const {
  if (known.state == BankTransactionState::kAborted && !Mutated(Defect::kRefusalForgotten)) {
    // Refused before, or the tombstone of an abort that overtook this prepare (rule 8).
    const std::string_view why =
        known.reason_code.empty() ? reason::kTransactionAborted : std::string_view(known.reason_code);
    return Answer(command, CommandOutcome::kNo, why, reason::Describe(why));
  }
  BankTransactionRecord asked;
  asked.debit_account = command.from.bank_id == options_.bank_id ? command.from.account_id : "";
  asked.credit_account = command.to.bank_id == options_.bank_id ? command.to.account_id : "";
  asked.amount = command.amount;
  if (!SameTransaction(known, asked) && !Mutated(Defect::kOtherTermsAccepted)) {
    return Answer(command, CommandOutcome::kViolation, reason::kTransactionIdReused,
                  "prepare with the id of another payment");
  }
  return Answer(command, CommandOutcome::kYes);
}

BankReply Participant::Commit(Batch& batch, const BankCommand& command) {
  BankTransactionRecord* known = batch.FindTransaction(command.id);
  if (known == nullptr) {
    if (Mutated(Defect::kCommitWithoutPrepareDone)) return Answer(command, CommandOutcome::kDone);
    return Answer(command, CommandOutcome::kViolation, reason::kProtocolViolation,
                  "commit for a transaction that was never prepared here");
  }
  if (auto refusal = RefuseStale(batch, *known, command)) return *std::move(refusal);
  if (auto reply = MeetHeuristic(batch, command)) return *std::move(reply);
  if (known->state == BankTransactionState::kCommitted && !Mutated(Defect::kCommitPostsAgain)) {
    return Answer(command, CommandOutcome::kDone);
  }
  if (known->state == BankTransactionState::kAborted) {
    return Answer(command, CommandOutcome::kViolation, reason::kProtocolViolation,
                  "commit for a transaction that was aborted here");
  }
  if (!prepared_.contains(command.id)) {
    return Answer(command, CommandOutcome::kViolation, reason::kProtocolViolation, kNotFoundAtStart);
  }
  PostLegs(batch, *known);
  known->state = BankTransactionState::kCommitted;
  batch.Changed(*known);
  prepared_.erase(command.id);
  return Answer(command, CommandOutcome::kDone);
}

BankReply Participant::Abort(Batch& batch, const BankCommand& command) {
  BankTransactionRecord* known = batch.FindTransaction(command.id);
  if (known == nullptr) {
    if (Mutated(Defect::kNoTombstone)) return Answer(command, CommandOutcome::kDone);
    BankTransactionRecord tombstone;
    tombstone.id = command.id;
    tombstone.state = BankTransactionState::kAborted;
    tombstone.epoch = command.epoch;
    tombstone.gateway_store_id = command.gateway_store_id;
    tombstone.created_at = batch.now.wall;
    batch.Changed(batch.PutTransaction(std::move(tombstone)));
    return Answer(command, CommandOutcome::kDone);
  }
  if (auto refusal = RefuseStale(batch, *known, command)) return *std::move(refusal);
  if (auto reply = MeetHeuristic(batch, command)) return *std::move(reply);
  if (Mutated(Defect::kAbortUndoesCommit) && known->state == BankTransactionState::kCommitted) {
    known->state = BankTransactionState::kAborted;
    batch.Changed(*known);
  }
  if (known->state == BankTransactionState::kAborted && !Mutated(Defect::kAbortReleasesAgain)) {
    return Answer(command, CommandOutcome::kDone);
  }
  if (known->state == BankTransactionState::kCommitted) {
    return Answer(command, CommandOutcome::kViolation, reason::kProtocolViolation,
                  "abort for a transaction that was committed here");
  }
  if (!prepared_.contains(command.id)) {
    return Answer(command, CommandOutcome::kViolation, reason::kProtocolViolation, kNotFoundAtStart);
  }
  ReleaseLegs(batch, *known);
  known->state = BankTransactionState::kAborted;
  batch.Changed(*known);
  prepared_.erase(command.id);
  return Answer(command, CommandOutcome::kDone);
}

void Participant::NoteCommand(Batch& batch, const CommandInput& input, const BankReply& reply, Trace trace) {
  const BankTransactionRecord* known = batch.FindTransaction(input.command.id);
  if (known == nullptr || known->kind != BankTransactionKind::kPayment) return;
  const StepKind kind = input.command.kind == CommandKind::kPrepare  ? StepKind::kPrepare
                        : input.command.kind == CommandKind::kCommit ? StepKind::kCommit
                                                                     : StepKind::kAbort;
  if (!trace.context) trace.context = input.command.trace;
  trace.Add({.kind = kind,
             .outcome = reply.outcome,
             .epoch = input.command.epoch,
             .at = input.arrived_at.value_or(batch.now.wall),
             .until = batch.now.wall});
  batch.SetTrace(*known, trace);
  if (const auto held = prepared_.find(input.command.id); held != prepared_.end())
    held->second.trace = std::move(trace);
}

void Participant::NoteGateway(Batch& batch, const BankCommand& command) {
  if (command.gateway_store_id.IsNil()) return;
  const bool same_store = gateway_seen_ && gateway_seen_->store_id == command.gateway_store_id;
  if (same_store && gateway_seen_->sequence >= command.gateway_sequence) return;
  gateway_seen_ = GatewaySeen{command.gateway_store_id, command.gateway_sequence};
  batch.effects.records.gateway_seen = gateway_seen_;
}

// Rule 6: only the gateway's word ends a transaction this bank has voted YES on.
void Participant::Apply(Batch& batch, InquiryAnswered& input) {
  const auto held = prepared_.find(input.id);
  if (held == prepared_.end()) return;  // a command was faster
  held->second.inquiry_open = false;
  if (Mutated(Defect::kVotedHoldExpires) && !input.decision) {
    input = {input.id, Decision::kAbort, held->second.record.epoch};
  }
  const bool decided = input.decision == Decision::kCommit || input.decision == Decision::kAbort;
  if (decided || (Mutated(Defect::kPendingTakenForCommit) && input.decision)) {
    CommandInput command;
    command.command.kind = input.decision == Decision::kAbort ? CommandKind::kAbort : CommandKind::kCommit;
    command.command.id = input.id;
    command.command.epoch = input.epoch;
    Apply(batch, command);
    if (!prepared_.contains(input.id)) return;
  }
  held->second.next_inquiry = batch.now.monotonic + options_.inquiry_backoff.Delay(input.id, held->second.inquiries);
  deadlines_.Add(held->second.next_inquiry, input.id);
}

void Participant::AskAboutLateDecisions(Batch& batch) {
  while (const auto id = deadlines_.PopDue(batch.now.monotonic)) {
    const auto held = prepared_.find(*id);
    if (held == prepared_.end() || held->second.inquiry_open) continue;
    if (held->second.next_inquiry > batch.now.monotonic) continue;  // an older deadline of the same transaction
    held->second.inquiry_open = true;
    ++held->second.inquiries;
    held->second.trace.Add({.kind = StepKind::kInquiry, .at = batch.now.wall});
    const Uuid& store = held->second.record.gateway_store_id;
    const bool same_store = gateway_seen_ && gateway_seen_->store_id == store;
    batch.effects.inquiries.push_back({*id, store, same_store ? gateway_seen_->sequence : 0});
  }
}

void Participant::Apply(Batch& batch, const DirectInput& input) {
  batch.effects.direct_answers.push_back(ProcessDirect(batch, input, prepared_.contains(input.id)));
}

void Participant::Apply(Batch& batch, const OpenAccountInput& input) { OpenAccount(batch, input); }

}  // namespace strife::protocol
