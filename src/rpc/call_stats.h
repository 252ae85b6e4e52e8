// How the calls of each method have ended and how long they took.
#pragma once

#include <array>
#include <deque>

#include "base/measure.h"
#include "observability/metrics.h"
#include "security/policy.h"

namespace strife::rpc {

struct MethodStats {
  static constexpr std::size_t kCodes = 17;  // of gRPC

  std::array<Counter, kCodes> ended;  // by status code
  LatencyHistogram duration;
};

// One for each row of the policy table. Thread-safe.
class CallStats {
 public:
  CallStats() : methods_(security::PolicyTable().size()) {}

  // `policy` is a row of the table.
  MethodStats& Of(const security::MethodPolicy& policy) {
    return methods_[static_cast<std::size_t>(&policy - security::PolicyTable().data())];
  }

  // Of methods that have been called.
  void Collect(MetricWriter& writer) const;

 private:
  std::deque<MethodStats> methods_;
};

}  // namespace strife::rpc
