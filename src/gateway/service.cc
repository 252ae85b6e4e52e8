#include "gateway/service.h"

#include <unordered_map>
#include <utility>

#include "base/limits.h"
#include "gateway/validate.h"
#include "protocol/reason.h"
#include "rpc/server.h"

namespace strife::gateway {

using protocol::PaymentRecord;
using rpc::ApiCode;
using rpc::ApiError;
using rpc::ApiResult;
using rpc::Caller;
using rpc::Done;
using rpc::InvalidField;
using ParkedSubmit = runtime::Parked<protocol::SubmitAnswer>;
using ParkedInquiry = runtime::Parked<protocol::InquiryAnswer>;
using ParkedAudit = runtime::Parked<bool>;
using ParkedRegister = runtime::Parked<protocol::RegisterAnswer>;

namespace {

ApiError Forbidden(std::string message) {
  return {.code = ApiCode::kPermissionDenied,
          .reason_code = std::string(protocol::reason::kForbidden),
          .message = std::move(message)};
}

// The same words whether or not there is such an account.
ApiError NotYourAccount() { return Forbidden("you have no such account at this bank; see `strife whoami`"); }

ApiError Unavailable(std::string reason_code, std::string message) {
  return {.code = ApiCode::kUnavailable,
          .reason_code = std::move(reason_code),
          .message = std::move(message),
          .retryable = true,
          .retry_after = std::chrono::seconds(1)};
}

ApiError Draining() {
  return Unavailable("DRAINING", "the gateway takes no new work for now; send the same request again later");
}

ApiError StorageFull() {
  return {.code = ApiCode::kResourceExhausted,
          .reason_code = std::string(protocol::reason::kStorageFull),
          .message =
              "the gateway has no disk space left for new work; nothing was recorded, send the same request "
              "again when its operator has freed some",
          .retryable = true,
          .retry_after = std::chrono::seconds(5)};
}

ApiError NeedsReconciliation() {
  return Unavailable("RECONCILIATION_NEEDED",
                     "a bank of this payment has seen work of this gateway that is not in its store; nothing was "
                     "recorded, and its payments wait until the gateway's operators have compared the books");
}

// What is open takes about so long to work off.
constexpr auto kOpenPaymentsPushback = std::chrono::seconds(1);

ApiError TooManyOpen(OpenPayments::Room room) {
  ApiError error = rpc::Overloaded("the gateway");
  if (room == OpenPayments::Room::kNoneForUser) {
    error.message =
        "you have as many payments under way as the gateway takes from one user at once; nothing was recorded, send "
        "the same request again when some of them have ended";
  }
  error.retry_after = kOpenPaymentsPushback;
  return error;
}

ApiError ReadFailed() {
  return {.code = ApiCode::kInternal,
          .reason_code = "STORAGE",
          .message = "the gateway cannot read its store; its operator finds the reason in gateway.log"};
}

ApiResult<PaymentRecord> ToResult(protocol::SubmitAnswer answer) {
  switch (answer.outcome) {
    case protocol::SubmitOutcome::kEnded:
      return std::move(answer.payment);
    case protocol::SubmitOutcome::kDuplicate:
      return std::unexpected(ApiError{.code = ApiCode::kAlreadyExists,
                                      .reason_code = std::string(protocol::reason::kDuplicate),
                                      .message = "this payment was sent before; see its outcome in `prior`",
                                      .prior = std::move(answer.payment)});
    case protocol::SubmitOutcome::kReused:
      return std::unexpected(
          ApiError{.code = ApiCode::kAlreadyExists,
                   .reason_code = std::string(protocol::reason::kTransactionIdReused),
                   .message = std::string(protocol::reason::Describe(protocol::reason::kTransactionIdReused)),
                   .field = "transaction_id"});
    case protocol::SubmitOutcome::kUnknownPayerBank:
      return std::unexpected(Unavailable(std::string(protocol::reason::kBankOffline),
                                         "your bank has not registered with this gateway yet; try again later"));
    case protocol::SubmitOutcome::kUnknownPayeeBank:
      return std::unexpected(InvalidField("to.bank_id", "names no bank of this gateway"));
    case protocol::SubmitOutcome::kCurrencyNotKept:
      return std::unexpected(InvalidField("amount.currency", "is one in which a bank of this payment has no accounts"));
    case protocol::SubmitOutcome::kOverloaded:
      return std::unexpected(rpc::Overloaded("the gateway"));
    case protocol::SubmitOutcome::kStorageFull:
      return std::unexpected(StorageFull());
    case protocol::SubmitOutcome::kDraining:
      return std::unexpected(Draining());
    case protocol::SubmitOutcome::kNeedsReconciliation:
      return std::unexpected(NeedsReconciliation());
  }
  return std::unexpected(ReadFailed());
}

// `done`, and before it the outcome is counted.
template <typename T>
Done<T> Counted(server::LabelCounts& counts, Done<T> done) {
  return [&counts, done = std::move(done)](ApiResult<T> result) mutable {
    counts.Add(result ? "ok" : std::string_view(result.error().reason_code));
    done(std::move(result));
  };
}

}  // namespace

ApiResult<security::AccessTokenClaims> GatewayService::CheckToken(std::string_view token,
                                                                  const security::Certificate& certificate) {
  return parts_.logins.CheckToken(token, certificate);
}

void GatewayService::AuthenticateClient(Caller caller, std::string username, std::string password,
                                        Done<rpc::SessionGrant> done) {
  done = Counted(parts_.login_metrics.logins, std::move(done));
  if (draining_) return done(std::unexpected(Draining()));
  if (parts_.disk.low()) return done(std::unexpected(StorageFull()));
  parts_.logins.Authenticate(caller, std::move(username), std::move(password), std::move(done));
}

void GatewayService::RefreshSession(Caller caller, std::string refresh_token, Done<rpc::SessionGrant> done) {
  done = Counted(parts_.login_metrics.refreshes, std::move(done));
  if (draining_) return done(std::unexpected(Draining()));
  if (parts_.disk.low()) return done(std::unexpected(StorageFull()));
  parts_.logins.Refresh(caller, refresh_token, std::move(done));
}

void GatewayService::LogoutClient(Caller caller, Done<rpc::Nothing> done) {
  done = Counted(parts_.login_metrics.logouts, std::move(done));
  if (draining_) return done(std::unexpected(Draining()));
  parts_.logins.Logout(caller, std::move(done));
}

void GatewayService::ProcessPayment(Caller caller, rpc::PaymentRequest request, Done<PaymentRecord> done) {
  const auto refuse = [&](ApiError error) {
    parts_.metrics.Refused(error.reason_code);
    done(std::unexpected(std::move(error)));
  };
  const Now arrived = parts_.clock.Read();
  const MonotonicTime received = arrived.monotonic;
  const auto trace = request.trace;
  auto order = ValidatePayment(std::move(request), caller.claims->username);
  if (!order) return refuse(order.error());
  if (parts_.logins.AccountAt(order->payer, order->from.bank_id) != order->from) return refuse(NotYourAccount());
  const bool suspended = parts_.suspensions.Has(SuspendedKind::kBank, order->from.bank_id) ||
                         parts_.suspensions.Has(SuspendedKind::kBank, order->to.bank_id);
  protocol::SubmitInput input{{}, *std::move(order), parts_.disk.low(), drained_, suspended, arrived.wall, trace};
  Submit(std::move(input), [this, received, done = std::move(done)](ApiResult<PaymentRecord> result) mutable {
    if (result) {
      parts_.metrics.Answered(parts_.clock.Read().monotonic - received);
    } else {
      parts_.metrics.Refused(result.error().reason_code);
    }
    done(std::move(result));
  });
}

// Whose account it is and whether its banks are suspended does not matter: that may have been otherwise when the
// payment was sent. It goes the way of a payment, and so stands before or behind it.
void GatewayService::CancelPayment(Caller caller, rpc::PaymentRequest request, Done<PaymentRecord> done) {
  auto order = ValidatePayment(std::move(request), caller.claims->username);
  if (!order) return done(std::unexpected(order.error()));
  protocol::SubmitInput input{.reply_to = {},
                              .order = *std::move(order),
                              .storage_full = parts_.disk.low(),
                              .draining = drained_,
                              .cancel = true};
  Submit(std::move(input), [done = std::move(done)](ApiResult<PaymentRecord> result) mutable {
    if (!result && result.error().prior) return done(*std::move(result.error().prior));
    done(std::move(result));
  });
}

void GatewayService::Submit(protocol::SubmitInput input, Done<PaymentRecord> done) {
  if (draining_) return done(std::unexpected(Draining()));
  const std::string payer = input.order.payer;
  const OpenPayments::Room room = open_payments_.Begin(payer);
  if (room != OpenPayments::Room::kTaken) return done(std::unexpected(TooManyOpen(room)));
  const protocol::ReplyTo reply_to =
      ParkedSubmit::Park([this, payer, done = std::move(done)](protocol::SubmitAnswer answer) mutable {
        open_payments_.End(payer);
        done(ToResult(std::move(answer)));
      });
  input.reply_to = reply_to;
  if (parts_.submit_payment(payer, protocol::CoordinatorInput(std::move(input)))) return;
  ParkedSubmit::Take(reply_to)({reply_to, protocol::SubmitOutcome::kOverloaded, {}});
}

void GatewayService::GetPayment(Caller caller, std::string transaction_id, Done<PaymentRecord> done) {
  const auto id = ValidateTransactionId(transaction_id);
  if (!id) return done(std::unexpected(id.error()));
  auto shared_done = std::make_shared<Done<PaymentRecord>>(std::move(done));
  const bool accepted = parts_.workers.Submit([this, id = *id, username = caller.claims->username, shared_done] {
    auto found = parts_.reader.FindPayment(id);
    if (!found) return (*shared_done)(std::unexpected(ReadFailed()));
    if (!*found || (*found)->order.payer != username) return (*shared_done)(std::unexpected(UnknownPayment()));
    (*shared_done)(**std::move(found));
  });
  if (!accepted) (*shared_done)(std::unexpected(rpc::Overloaded("the gateway")));
}

void GatewayService::TracePayment(Caller caller, std::string transaction_id, Done<rpc::PaymentTrace> done) {
  const auto id = ValidateTransactionId(transaction_id);
  if (!id) return done(std::unexpected(id.error()));
  parts_.tracing.Trace(*id, caller.claims->username, std::move(done));
}

void GatewayService::CheckBalance(Caller caller, std::string bank_id, Done<rpc::Balance> done) {
  const auto account = parts_.logins.AccountAt(caller.claims->username, bank_id);
  if (!account) return done(std::unexpected(NotYourAccount()));
  parts_.links.GetBalance(bank_id, account->account_id, std::move(done));
}

void GatewayService::ViewTransactionHistory(Caller caller, rpc::HistoryRequest request, Done<rpc::HistoryPage> done) {
  auto query = ValidateHistory(request, caller.claims->username);
  if (!query) return done(std::unexpected(query.error()));
  auto shared_done = std::make_shared<Done<rpc::HistoryPage>>(std::move(done));
  const bool accepted = parts_.workers.Submit([this, query = *std::move(query), shared_done]() mutable {
    const auto limit = static_cast<std::size_t>(query.limit);
    ++query.limit;  // one more tells whether there is a next page
    auto rows = parts_.reader.History(query);
    if (!rows) return (*shared_done)(std::unexpected(ReadFailed()));
    rpc::HistoryPage page{.payments = *std::move(rows), .next_page_token = {}};
    if (page.payments.size() > limit) {
      page.payments.resize(limit);
      page.next_page_token = PageToken(page.payments.back());
    }
    (*shared_done)(std::move(page));
  });
  if (!accepted) (*shared_done)(std::unexpected(rpc::Overloaded("the gateway")));
}

void GatewayService::RegisterBank(Caller caller, rpc::RegistrationRequest request, Done<rpc::Registration> done) {
  if (caller.certificate->identity.name != request.bank.bank_id) {
    return done(std::unexpected(Forbidden("a bank registers only itself: bank_id must be the certificate's name, " +
                                          caller.certificate->identity.name)));
  }
  auto input = ValidateRegistration(std::move(request));
  if (!input) return done(std::unexpected(input.error()));
  input->reply_to = ParkedRegister::Park([this, done = std::move(done)](protocol::RegisterAnswer answer) mutable {
    if (answer.storage_full) return done(std::unexpected(StorageFull()));
    if (!answer.accepted) return done(std::unexpected(rpc::Overloaded("the gateway")));
    parts_.links.Heard(answer.bank.bank_id, parts_.clock.Read().wall);
    done(rpc::Registration{std::move(answer.bank), parts_.heartbeat_interval, parts_.store_id});
  });
  input->storage_full = parts_.disk.low();
  const protocol::ReplyTo reply_to = input->reply_to;
  if (parts_.submit(protocol::CoordinatorInput(*std::move(input)))) return;
  ParkedRegister::Take(reply_to)({.reply_to = reply_to, .bank = {}});
}

void GatewayService::InquireTransaction(Caller caller, rpc::InquiryRequest request, Done<rpc::InquiryResponse> done) {
  auto input = ValidateInquiry(request);
  if (!input) return done(std::unexpected(input.error()));
  input->bank_id = caller.certificate->identity.name;
  input->storage_full = parts_.disk.low();
  input->reply_to = ParkedInquiry::Park([this, done = std::move(done)](protocol::InquiryAnswer answer) mutable {
    switch (answer.outcome) {
      case protocol::InquiryOutcome::kDecided:
        return done(rpc::InquiryResponse{answer.decision, parts_.epoch});
      case protocol::InquiryOutcome::kNotAParticipant:
        return done(std::unexpected(Forbidden("this bank takes no part in that transaction")));
      case protocol::InquiryOutcome::kNeedsReconciliation:
        return done(std::unexpected(NeedsReconciliation()));
    }
  });
  const protocol::ReplyTo reply_to = input->reply_to;
  if (parts_.submit(protocol::CoordinatorInput(*std::move(input)))) return;
  ParkedInquiry::Take(reply_to)({reply_to, protocol::InquiryOutcome::kDecided, protocol::Decision::kPending});
}

// ---- What the engine has made durable ----

void GatewayService::Deliver(GatewayEffects effects, MonotonicTime cycle_began) {
  if (!effects.records.payments.empty()) {
    parts_.metrics.Durable(effects.records.payments, cycle_began, parts_.clock.Read().monotonic);
  }
  for (const protocol::BankRecord& bank : effects.records.banks) parts_.links.Update(bank);
  for (const SuspensionRecord& suspension : effects.records.suspensions) parts_.suspensions.Apply(suspension);
  std::unordered_map<std::string, std::vector<protocol::BankCommand>> by_bank;
  for (protocol::AddressedCommand& addressed : effects.protocol.commands) {
    auto& commands = by_bank[addressed.bank_id];
    if (commands.empty()) commands.reserve(effects.protocol.commands.size());
    commands.push_back(std::move(addressed.command));
  }
  for (auto& [bank_id, commands] : by_bank) parts_.links.Send(bank_id, std::move(commands));
  {
    const rpc::AnswersTogether together;
    for (protocol::SubmitAnswer& answer : effects.protocol.submit_answers) {
      const protocol::ReplyTo reply_to = answer.reply_to;
      ParkedSubmit::Take(reply_to)(std::move(answer));
    }
  }
  for (const protocol::InquiryAnswer& answer : effects.protocol.inquiry_answers) {
    ParkedInquiry::Take(answer.reply_to)(answer);
  }
  for (const protocol::RegisterAnswer& answer : effects.protocol.register_answers) {
    ParkedRegister::Take(answer.reply_to)(answer);
  }
  for (protocol::ListOpenAnswer& answer : effects.protocol.list_open_answers) {
    const protocol::ReplyTo reply_to = answer.reply_to;
    runtime::Parked<protocol::ListOpenAnswer>::Take(reply_to)(std::move(answer));
  }
  for (protocol::TraceAnswer& answer : effects.protocol.trace_answers) {
    const protocol::ReplyTo reply_to = answer.reply_to;
    runtime::Parked<protocol::TraceAnswer>::Take(reply_to)(std::move(answer));
  }
  for (const protocol::ReplyTo& reply_to : effects.audit_answers) {
    if (reply_to.call != 0) ParkedAudit::Take(reply_to)(true);
  }
  for (const security::SessionOutcome& outcome : effects.sessions) parts_.logins.OnOutcome(outcome);
  for (const security::LoginOutcome& outcome : effects.logins) parts_.logins.OnOutcome(outcome);
  auto trace = effects.records.traces.begin();
  for (const PaymentRecord& payment : effects.records.payments) {
    const bool traced = trace != effects.records.traces.end() && trace->id == payment.order.id;
    LogPayment(payment, traced ? &*trace++ : nullptr);
  }
  for (const protocol::CoordinatorEvent& event : effects.protocol.events) LogEvent(event);
}

void GatewayService::LogPayment(const PaymentRecord& payment, const protocol::TraceRecord* trace) {
  // Every step at debug, the outcome at info: the way of one payment is in the store, not in the log.
  const bool outcome = IsFinal(payment.state) || payment.state == protocol::PaymentState::kPartialCommit;
  const LogLevel level = outcome ? LogLevel::kInfo : LogLevel::kDebug;
  if (!parts_.log.Enabled(level)) return;
  LogLine line("payment");
  line.Add("id", payment.order.id).Add("user", payment.order.payer);
  line.Add("from", payment.order.from.bank_id + "/" + payment.order.from.account_id);
  line.Add("to", payment.order.to.bank_id + "/" + payment.order.to.account_id);
  line.Add(payment.order.amount).Add("state", protocol::StateName(payment.state));
  if (!payment.reason_code.empty()) line.Add("reason", payment.reason_code);
  if (const auto context = trace != nullptr ? protocol::Trace::ContextOf(trace->bytes) : std::nullopt) {
    line.Add("trace_id", protocol::TraceIdText(*context));
  }
  line.Add("duration_us", payment.updated_at - payment.created_at);
  parts_.log.Write(level, line);
}

void GatewayService::LogEvent(const protocol::CoordinatorEvent& event) {
  using Kind = protocol::CoordinatorEvent::Kind;
  const std::string_view name = event.kind == Kind::kPartialCommit       ? "partial_commit"
                                : event.kind == Kind::kProtocolViolation ? "protocol_violation"
                                : event.kind == Kind::kStaleEpoch        ? "stale_epoch"
                                : event.kind == Kind::kMixed             ? "heuristic_mixed"
                                                                         : "needs_reconciliation";
  parts_.events.Count(name);
  LogLine line(name);
  if (!event.id.IsNil()) line.Add("id", event.id);
  line.Add("bank", event.bank_id).Add("what", event.what);
  parts_.log.Write(LogLevel::kCritical, line);
}

}  // namespace strife::gateway
