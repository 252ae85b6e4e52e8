#include "client/attempts.h"

#include <algorithm>
#include <utility>

namespace strife::client {

constexpr Duration kMaxDelay = std::chrono::minutes(1);

std::optional<Duration> Attempts::AfterFailure(const rpc::CallError& error, double jitter) {
  ++made_;
  may_have_arrived_ |= error.error.code == ErrorCode::kUnknownOutcome;
  bool refused_by_pushback = error.pushback && *error.pushback < std::chrono::milliseconds::zero();
  if (!error.retryable || refused_by_pushback || retries_left_ == 0) return std::nullopt;
  --retries_left_;
  auto spread = static_cast<Duration::rep>(static_cast<double>(delay_.count()) * (0.8 + 0.4 * jitter));
  delay_ = std::min(delay_ * 2, kMaxDelay);
  if (error.pushback) return std::min(Duration(*error.pushback), kMaxDelay);
  return std::min(Duration(spread), kMaxDelay);
}

rpc::CallError AfterEarlierAttempt(rpc::CallError error) {
  // An answer about the id itself settles it: it was never recorded, or it belongs to another payment. Being turned
  // away at the door (no connection, overload, shutdown, an ended session, a right that has been taken away since) says
  // nothing about an attempt that came before.
  const ErrorCode code = error.error.code;
  const bool turned_away = code == ErrorCode::kResourceExhausted || code == ErrorCode::kUnauthenticated ||
                           code == ErrorCode::kPermissionDenied || code == ErrorCode::kUnavailable;
  if (error.delivery == rpc::Delivery::kRefused && !turned_away) return error;
  error.error.code = ErrorCode::kUnknownOutcome;
  error.delivery = rpc::Delivery::kUnknown;
  return error;
}

rpc::CallError Attempts::Conclude(rpc::CallError last) const {
  return may_have_arrived_ ? AfterEarlierAttempt(std::move(last)) : last;
}

}  // namespace strife::client
