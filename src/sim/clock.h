// The clocks of one process.
#pragma once

#include "base/random.h"
#include "base/time.h"

namespace strife::sim {

// The wall clock is wrong by a skew and may jump; the monotonic clock runs evenly from an origin of its own, which
// changes with every start of the process.
class ProcessClock {
 public:
  Now Read(Duration simulated) const {
    return {MonotonicTime(monotonic_origin_ + simulated), WallTime(kEpoch + simulated + skew_)};
  }

  // A new start of the process.
  void Restart(Random& random) { monotonic_origin_ = random.Between(Duration(0), std::chrono::hours(1000)); }
  void Jump(Duration by) { skew_ += by; }
  Duration skew() const { return skew_; }

  // When an event is due that the process wants at `at`.
  Duration Until(MonotonicTime at, Duration simulated) const {
    return at.time_since_epoch() - monotonic_origin_ - simulated;
  }

 private:
  static constexpr Duration kEpoch = std::chrono::hours(24 * 365 * 50);  // about 2020
  Duration monotonic_origin_{};
  Duration skew_{};
};

}  // namespace strife::sim
