// The machine's clocks.
#pragma once

#include <chrono>

#include "env/clock.h"

namespace strife::runtime {

class SystemClock final : public Clock {
 public:
  Now Read() override {
    using std::chrono::duration_cast;
    return {MonotonicTime(duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())),
            WallTime(duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()))};
  }
};

// The steady clock's view of a monotonic time, to wait for it.
inline std::chrono::steady_clock::time_point ToSteady(MonotonicTime time) {
  return std::chrono::steady_clock::time_point(time.time_since_epoch());
}

}  // namespace strife::runtime
