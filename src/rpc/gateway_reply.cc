#include "rpc/gateway_reply.h"

#include "base/text.h"
#include "protocol/reason.h"
#include "rpc/convert.h"
#include "rpc/status.h"
#include "rpc/trace_convert.h"

namespace strife::rpc {
namespace {

using http2::Code;

template <typename Response>
CallResult<SessionGrant> ToGrant(const Response& response) {
  auto expires_at = FromProto(response.expires_at());
  auto refresh_expires_at = FromProto(response.refresh_expires_at());
  if (!expires_at || !refresh_expires_at) return std::unexpected(UnreadableAnswer("an impossible time"));
  SessionGrant grant{.access_token = response.access_token(),
                     .expires_at = *expires_at,
                     .refresh_token = response.refresh_token(),
                     .refresh_expires_at = *refresh_expires_at,
                     .accounts = {}};
  for (const auto& account : response.accounts()) grant.accounts.push_back(FromProto(account));
  return grant;
}

bool Is(int code, Code other) { return code == static_cast<int>(other); }

ErrorCode ToErrorCode(int code) {
  switch (code) {
    case AsInt(Code::kInvalidArgument):
    case AsInt(Code::kOutOfRange):
    case AsInt(Code::kFailedPrecondition):
      return ErrorCode::kInvalidInput;
    case AsInt(Code::kNotFound):
      return ErrorCode::kNotFound;
    case AsInt(Code::kAlreadyExists):
      return ErrorCode::kAlreadyExists;
    case AsInt(Code::kPermissionDenied):
      return ErrorCode::kPermissionDenied;
    case AsInt(Code::kUnauthenticated):
      return ErrorCode::kUnauthenticated;
    case AsInt(Code::kResourceExhausted):
      return ErrorCode::kResourceExhausted;
    case AsInt(Code::kUnavailable):
    case AsInt(Code::kDeadlineExceeded):
    case AsInt(Code::kCancelled):
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kInternal;
  }
}

// Whether an answer with this code proves that the call had no effect. RESOURCE_EXHAUSTED proves it only when Strife
// itself said so: the client uses it also for an answer that was too long to read.
bool ProvesNoEffect(int code, bool from_strife) {
  switch (code) {
    case AsInt(Code::kInvalidArgument):
    case AsInt(Code::kOutOfRange):
    case AsInt(Code::kFailedPrecondition):
    case AsInt(Code::kNotFound):
    case AsInt(Code::kAlreadyExists):
    case AsInt(Code::kPermissionDenied):
    case AsInt(Code::kUnauthenticated):
    case AsInt(Code::kUnimplemented):
      return true;
    case AsInt(Code::kResourceExhausted):
      return from_strife;
    default:
      return false;
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
  CallError error{
      .error = {ToErrorCode(code), std::move(message)},
      .delivery = ProvesNoEffect(code, detail != nullptr) ? Delivery::kRefused : Delivery::kUnknown,
      .retryable = Is(code, Code::kUnavailable) || Is(code, Code::kDeadlineExceeded) || Is(code, Code::kCancelled),
      .reason_code = {},
      .field = {},
      .prior = {},
      .pushback = {}};
  if (detail != nullptr) Apply(*detail, &error);
  // A gateway that is shutting down, or does not know the payer's bank yet, turns calls away before it records them.
  const bool turned_away = error.reason_code == "DRAINING" || error.reason_code == protocol::reason::kBankOffline;
  if (turned_away) error.delivery = Delivery::kRefused;
  if (error.delivery == Delivery::kUnknown && effect == Effect::kPayment) error.error.code = ErrorCode::kUnknownOutcome;
  return error;
}

}  // namespace

CallError UnreadableAnswer(const std::string& what) {
  return {.error = {ErrorCode::kInternal,
                    "the gateway's answer holds " + what + "; check that client and gateway are of the same version"},
          .delivery = Delivery::kUnknown,
          .retryable = false,
          .reason_code = {},
          .field = {},
          .prior = {},
          .pushback = {}};
}

CallResult<protocol::PaymentRecord> FromReply(const v1::Payment& payment) {
  auto record = FromProto(payment);
  if (!record) return std::unexpected(UnreadableAnswer("a payment this version cannot read"));
  return std::move(*record);
}

CallResult<SessionGrant> FromReply(const v1::AuthenticateClientResponse& response) { return ToGrant(response); }
CallResult<SessionGrant> FromReply(const v1::RefreshSessionResponse& response) { return ToGrant(response); }

CallResult<Balance> FromReply(const v1::CheckBalanceResponse& response) {
  auto posted = FromProto(response.posted()), held = FromProto(response.held());
  auto available = FromProto(response.available());
  auto as_of = FromProto(response.as_of());
  if (!posted || !held || !available || !as_of) {
    return std::unexpected(UnreadableAnswer("a balance this version cannot read"));
  }
  return Balance{.posted = *posted, .held = *held, .available = *available, .as_of = *as_of};
}

CallResult<PaymentTrace> FromReply(const v1::TracePaymentResponse& response) {
  auto trace = FromProto(response.trace());
  if (!trace) return std::unexpected(UnreadableAnswer("a payment that makes no sense"));
  return *std::move(trace);
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

CallResult<protocol::PaymentRecord> FromReply(const v1::ProcessPaymentsResponse::Result& result) {
  if (Is(result.grpc_code(), Code::kOk)) return FromReply(result.payment());
  return std::unexpected(Classify(result.grpc_code(), "the gateway refused the payment without saying why",
                                  result.has_error() ? &result.error() : nullptr, Effect::kPayment));
}

CallError FromStatus(const http2::CallStatus& status, Effect effect, const std::string& endpoint) {
  std::string gateway = "the gateway at " + endpoint;
  std::string said = status.message.empty() ? "" : " (" + Sanitize(status.message, 512) + ")";
  std::string message = gateway + " refused the call" + said;
  if (Is(status.code, Code::kDeadlineExceeded)) message = gateway + " did not answer in time";
  if (Is(status.code, Code::kUnavailable)) message = "the connection to " + gateway + " failed" + said;
  auto detail = ErrorDetailOf(status.details);
  CallError error = Classify(status.code, std::move(message), detail ? &*detail : nullptr, effect);
  if (status.pushback) error.pushback = std::chrono::duration_cast<std::chrono::milliseconds>(*status.pushback);
  return error;
}

void FillRequest(const protocol::PaymentOrder& order, v1::ProcessPaymentRequest* request) {
  request->set_transaction_id(order.id.ToString());
  ToProto(order.from, *request->mutable_from());
  ToProto(order.to, *request->mutable_to());
  ToProto(order.amount, *request->mutable_amount());
  request->set_memo(order.memo);
}

void FillRequest(const HistoryRequest& page, v1::ViewTransactionHistoryRequest* request) {
  request->set_page_size(page.page_size);
  request->set_page_token(page.page_token);
  if (page.state) request->set_state(ToProto(*page.state));
  if (page.since) ToProto(*page.since, *request->mutable_since());
  if (page.until) ToProto(*page.until, *request->mutable_until());
}

}  // namespace strife::rpc
