// Attempts: when one request is sent again, and what is known about it in the end. No clock, no I/O.
//
// A payment is always sent again with the same id, so a second arrival changes nothing and is answered with the first
// one's outcome (protocol rule: exactly once).
#pragma once

#include <optional>

#include "base/time.h"
#include "rpc/gateway_client.h"

namespace strife::client {

// The error as it looks when an attempt before this one may have arrived: unknown, unless the answer settles what
// became of the request.
rpc::CallError AfterEarlierAttempt(rpc::CallError error);

class Attempts {
 public:
  // `max_retries` attempts follow the first; the first of them after about `retry_delay`, each later one after twice
  // the delay before, at most a minute.
  Attempts(int max_retries, Duration retry_delay) : retries_left_(max_retries), delay_(retry_delay) {}

  // An attempt has failed: how long to wait before the next, or nullopt when there is to be none. `jitter` from [0, 1)
  // spreads clients that failed together over ±20 percent. The server's pushback beats the delay.
  std::optional<Duration> AfterFailure(const rpc::CallError& error, double jitter);

  // The last error as it looks over all attempts: if any of them may have arrived and none was answered for good, the
  // outcome is unknown, however the last one failed.
  rpc::CallError Conclude(rpc::CallError last) const;

  // Attempts made so far.
  int made() const { return made_; }

 private:
  int retries_left_;
  Duration delay_;
  int made_ = 0;
  bool may_have_arrived_ = false;
};

}  // namespace strife::client
