#include "rpc/gateway_reply.h"

#include <google/protobuf/timestamp.pb.h>

#include <charconv>

#include "base/text.h"
#include "strife/v1/types.pb.h"

namespace strife::rpc {
namespace {

using grpc::StatusCode;

WallTime ToWallTime(const google::protobuf::Timestamp& time) {
  return WallTime(std::chrono::seconds(time.seconds()) + std::chrono::microseconds(time.nanos() / 1000));
}

google::protobuf::Timestamp ToTimestamp(WallTime time) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds.count());
  timestamp.set_nanos(static_cast<std::int32_t>((time.time_since_epoch() - seconds).count() * 1000));
  return timestamp;
}

std::optional<Money> ToMoney(const v1::Money& money) {
  auto currency = Currency::Parse(money.currency());
  if (!currency) return std::nullopt;
  return Money{money.minor_units(), *currency};
}

std::optional<protocol::PaymentState> ToState(v1::PaymentState state) {
  switch (state) {
    case v1::PAYMENT_STATE_INITIATED: return protocol::PaymentState::kInitiated;
    case v1::PAYMENT_STATE_COMMITTING: return protocol::PaymentState::kCommitting;
    case v1::PAYMENT_STATE_COMPLETED: return protocol::PaymentState::kCompleted;
    case v1::PAYMENT_STATE_ABORTED: return protocol::PaymentState::kAborted;
    case v1::PAYMENT_STATE_PARTIAL_COMMIT_RECOVERY_NEEDED: return protocol::PaymentState::kPartialCommit;
    default: return std::nullopt;
  }
}

v1::PaymentState ToProto(protocol::PaymentState state) {
  switch (state) {
    case protocol::PaymentState::kInitiated: return v1::PAYMENT_STATE_INITIATED;
    case protocol::PaymentState::kCommitting: return v1::PAYMENT_STATE_COMMITTING;
    case protocol::PaymentState::kCompleted: return v1::PAYMENT_STATE_COMPLETED;
    case protocol::PaymentState::kAborted: return v1::PAYMENT_STATE_ABORTED;
    case protocol::PaymentState::kPartialCommit: return v1::PAYMENT_STATE_PARTIAL_COMMIT_RECOVERY_NEEDED;
  }
  return v1::PAYMENT_STATE_UNSPECIFIED;
}

protocol::AccountRef ToAccount(const v1::AccountRef& account) { return {account.bank_id(), account.account_id()}; }

void FillAccount(const protocol::AccountRef& account, v1::AccountRef* out) {
  out->set_bank_id(account.bank_id);
  out->set_account_id(account.account_id);
}

template <typename Response>
CallResult<SessionTokens> ToTokens(const Response& response) {
  SessionTokens tokens{.access_token = response.access_token(),
                       .access_expires_at = ToWallTime(response.expires_at()),
                       .refresh_token = response.refresh_token(),
                       .refresh_expires_at = ToWallTime(response.refresh_expires_at()),
                       .accounts = {}};
  for (const auto& account : response.accounts()) tokens.accounts.push_back(ToAccount(account));
  return tokens;
}

ErrorCode ToErrorCode(int code) {
  switch (code) {
    case StatusCode::INVALID_ARGUMENT:
    case StatusCode::OUT_OF_RANGE:
    case StatusCode::FAILED_PRECONDITION: return ErrorCode::kInvalidInput;
    case StatusCode::NOT_FOUND: return ErrorCode::kNotFound;
    case StatusCode::ALREADY_EXISTS: return ErrorCode::kAlreadyExists;
    case StatusCode::PERMISSION_DENIED: return ErrorCode::kPermissionDenied;
    case StatusCode::UNAUTHENTICATED: return ErrorCode::kUnauthenticated;
    case StatusCode::RESOURCE_EXHAUSTED: return ErrorCode::kResourceExhausted;
    case StatusCode::UNAVAILABLE:
    case StatusCode::DEADLINE_EXCEEDED:
    case StatusCode::CANCELLED: return ErrorCode::kUnavailable;
    default: return ErrorCode::kInternal;
  }
}

// Whether an answer with this code proves that the call had no effect. RESOURCE_EXHAUSTED proves it only when Strife
// itself said so: gRPC uses it also for an answer that was too long to read.
bool ProvesNoEffect(int code, bool from_strife) {
  switch (code) {
    case StatusCode::INVALID_ARGUMENT:
    case StatusCode::OUT_OF_RANGE:
    case StatusCode::FAILED_PRECONDITION:
    case StatusCode::NOT_FOUND:
    case StatusCode::ALREADY_EXISTS:
    case StatusCode::PERMISSION_DENIED:
    case StatusCode::UNAUTHENTICATED:
    case StatusCode::UNIMPLEMENTED: return true;
    case StatusCode::RESOURCE_EXHAUSTED: return from_strife;
    default: return false;
  }
}

void Apply(const v1::ErrorDetail& detail, CallError* error) {
  if (!detail.message().empty()) error->error.message = Sanitize(detail.message(), 1024);
  error->reason_code = Sanitize(detail.reason_code(), 64);
  error->field = Sanitize(detail.field(), 64);
  error->retryable = detail.retryable();
  if (detail.has_prior()) {
    if (auto prior = FromReply(detail.prior())) error->prior = std::move(*prior);
  }
}

CallError Classify(int code, std::string message, const v1::ErrorDetail* detail, Effect effect) {
  CallError error{.error = {ToErrorCode(code), std::move(message)},
                  .delivery = ProvesNoEffect(code, detail != nullptr) ? Delivery::kRefused : Delivery::kUnknown,
                  .retryable = code == StatusCode::UNAVAILABLE || code == StatusCode::DEADLINE_EXCEEDED ||
                               code == StatusCode::CANCELLED,
                  .reason_code = {},
                  .field = {},
                  .prior = {},
                  .pushback = {}};
  if (detail != nullptr) Apply(*detail, &error);
  if (error.delivery == Delivery::kUnknown && effect == Effect::kPayment) error.error.code = ErrorCode::kUnknownOutcome;
  return error;
}

std::optional<std::chrono::milliseconds> Pushback(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  auto found = trailers.find("grpc-retry-pushback-ms");
  if (found == trailers.end()) return std::nullopt;
  int ms = -1;  // gRFC A6: a value that is no number means the same as a negative one
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), ms);
  return std::chrono::milliseconds(ms);
}

std::optional<v1::ErrorDetail> Detail(const grpc::Status& status) {
  v1::RpcStatus rich;
  v1::ErrorDetail detail;
  if (status.error_details().empty() || !rich.ParseFromString(status.error_details())) return std::nullopt;
  for (const auto& any : rich.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

}  // namespace

CallError UnreadableAnswer(const std::string& what) {
  return {.error = {ErrorCode::kInternal, "the gateway's answer holds " + what +
                                              "; check that client and gateway are of the same version"},
          .delivery = Delivery::kUnknown,
          .retryable = false,
          .reason_code = {},
          .field = {},
          .prior = {},
          .pushback = {}};
}

CallResult<Payment> FromReply(const v1::Payment& payment) {
  auto id = Uuid::Parse(payment.transaction_id());
  auto amount = ToMoney(payment.amount());
  auto state = ToState(payment.state());
  if (!id || !amount || !state) return std::unexpected(UnreadableAnswer("a payment this version cannot read"));
  return Payment{.id = *id,
                 .from = ToAccount(payment.from()),
                 .to = ToAccount(payment.to()),
                 .amount = *amount,
                 .memo = payment.memo(),
                 .state = *state,
                 .reason_code = payment.reason_code(),
                 .message = payment.message(),
                 .created_at = ToWallTime(payment.created_at()),
                 .updated_at = ToWallTime(payment.updated_at())};
}

CallResult<SessionTokens> FromReply(const v1::AuthenticateClientResponse& response) { return ToTokens(response); }
CallResult<SessionTokens> FromReply(const v1::RefreshSessionResponse& response) { return ToTokens(response); }

CallResult<Balance> FromReply(const v1::CheckBalanceResponse& response) {
  auto posted = ToMoney(response.posted()), held = ToMoney(response.held()), available = ToMoney(response.available());
  if (!posted || !held || !available) return std::unexpected(UnreadableAnswer("a balance in an unknown currency"));
  return Balance{.posted = *posted, .held = *held, .available = *available, .as_of = ToWallTime(response.as_of())};
}

CallResult<HistoryPage> FromReply(const v1::ViewTransactionHistoryResponse& response) {
  HistoryPage page{.payments = {}, .next_page_token = response.next_page_token()};
  for (const auto& item : response.payments()) {
    auto payment = FromReply(item);
    if (!payment) return std::unexpected(std::move(payment.error()));
    page.payments.push_back(std::move(*payment));
  }
  return page;
}

CallResult<Payment> FromReply(const v1::ProcessPaymentsResponse::Result& result) {
  if (result.grpc_code() == StatusCode::OK) return FromReply(result.payment());
  return std::unexpected(Classify(result.grpc_code(), "the gateway refused the payment without saying why",
                                  result.has_error() ? &result.error() : nullptr, Effect::kPayment));
}

CallError FromStatus(const grpc::Status& status, const grpc::ClientContext& context, Effect effect,
                     const std::string& endpoint) {
  std::string gateway = "the gateway at " + endpoint;
  std::string said = status.error_message().empty() ? "" : " (" + Sanitize(status.error_message(), 512) + ")";
  std::string message = gateway + " refused the call" + said;
  if (status.error_code() == StatusCode::DEADLINE_EXCEEDED) message = gateway + " did not answer in time";
  if (status.error_code() == StatusCode::UNAVAILABLE) message = "the connection to " + gateway + " failed" + said;
  auto detail = Detail(status);
  CallError error = Classify(status.error_code(), std::move(message), detail ? &*detail : nullptr, effect);
  error.pushback = Pushback(context);
  return error;
}

void FillRequest(const protocol::PaymentOrder& order, v1::ProcessPaymentRequest* request) {
  request->set_transaction_id(order.id.ToString());
  FillAccount(order.from, request->mutable_from());
  FillAccount(order.to, request->mutable_to());
  request->mutable_amount()->set_minor_units(order.amount.minor_units);
  request->mutable_amount()->set_currency(std::string(order.amount.currency.code()));
  request->set_memo(order.memo);
}

void FillRequest(const HistoryPageRequest& page, v1::ViewTransactionHistoryRequest* request) {
  request->set_page_size(page.page_size);
  request->set_page_token(page.page_token);
  if (page.state) request->set_state(ToProto(*page.state));
  if (page.since) *request->mutable_since() = ToTimestamp(*page.since);
  if (page.until) *request->mutable_until() = ToTimestamp(*page.until);
}

}  // namespace strife::rpc
