// The machine's clocks.
#pragma once

#include <chrono>

#include "env/clock.h"

namespace strife::runtime {

inline WallTime WallNow() {
  return WallTime(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

class SystemClock final : public Clock {
 public:
  Now Read() override {
    return {MonotonicTime(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())),
            WallNow()};
  }
};

// The steady clock's view of a monotonic time, to wait for it.
inline std::chrono::steady_clock::time_point ToSteady(MonotonicTime time) {
  return std::chrono::steady_clock::time_point(time.time_since_epoch());
}

}  // namespace strife::runtime
