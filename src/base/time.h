// Two kinds of time that cannot be mixed up. The core is handed both and reads no clock.
#pragma once

#include <chrono>

namespace strife {

using Duration = std::chrono::microseconds;

// Wall time, UTC since 1970: for display, ordering in lists and token expiry only. May jump.
struct WallClock {};
using WallTime = std::chrono::time_point<WallClock, Duration>;

// Never goes backwards, meaningless outside the process: all timeouts.
struct MonotonicClock {};
using MonotonicTime = std::chrono::time_point<MonotonicClock, Duration>;

struct Now {
  MonotonicTime monotonic;
  WallTime wall;
};

}  // namespace strife
