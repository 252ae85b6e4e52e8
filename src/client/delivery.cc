#include "client/delivery.h"

#include "protocol/reason.h"

namespace strife::client {
namespace {

using Kind = protocol::OutboxCall::Kind;
using Result = protocol::DeliveryInput::Result;

Result ToResult(Kind kind, const rpc::CallError& error) {
  if (error.error.code == ErrorCode::kUnauthenticated) return Result::kNotAuthenticated;
  switch (error.delivery) {
    case rpc::Delivery::kNotSent:
      return Result::kNotSent;
    case rpc::Delivery::kUnknown:
      return error.retryable ? Result::kUnknown : Result::kUnclear;
    case rpc::Delivery::kRefused:
      break;
  }
  if (kind == Kind::kAsk && error.error.code == ErrorCode::kNotFound) return Result::kNotFound;
  if (kind == Kind::kCancel) {
    // Only these say that this payment was never accepted and never will be: what else is refused is the question.
    const bool never =
        error.error.code == ErrorCode::kInvalidInput || error.reason_code == protocol::reason::kTransactionIdReused;
    return never ? Result::kRefused : Result::kTurnedAway;
  }
  const bool passing = error.retryable || error.error.code == ErrorCode::kResourceExhausted ||
                       error.error.code == ErrorCode::kUnavailable;
  return passing ? Result::kTurnedAway : Result::kRefused;
}

// The payer is not part of what the gateway answers: it is the one who asks.
bool SamePayment(const protocol::PaymentOrder& a, const protocol::PaymentOrder& b) {
  return a.id == b.id && a.from == b.from && a.to == b.to && a.amount == b.amount && a.memo == b.memo;
}

void TakeOver(const protocol::PaymentRecord& payment, protocol::DeliveryInput& input) {
  input.result = Result::kPayment;
  input.payment_state = payment.state;
  input.reason_code = payment.reason_code;
  input.message = payment.message;
}

}  // namespace

protocol::DeliveryInput ToDelivery(const protocol::OutboxCall& call,
                                   const rpc::CallResult<protocol::PaymentRecord>& answer) {
  protocol::DeliveryInput input;
  input.id = call.order.id;
  if (answer && call.kind == Kind::kAsk && !SamePayment(answer->order, call.order)) {
    // Another payment of the user's has this id, so that the gateway does not know this one.
    input.result = Result::kNotFound;
    return input;
  }
  if (answer) {
    TakeOver(*answer, input);
    return input;
  }
  const rpc::CallError& error = answer.error();
  if (error.error.code == ErrorCode::kAlreadyExists && error.prior) {
    TakeOver(*error.prior, input);
    return input;
  }
  input.result = ToResult(call.kind, error);
  input.reason_code = error.reason_code;
  input.message = error.error.message;
  if (error.pushback) input.pushback = *error.pushback;
  return input;
}

}  // namespace strife::client
