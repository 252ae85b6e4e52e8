// Clock: where the shell gets the time it hands to the core. The simulator's second implementation runs on no clock.
#pragma once

#include "base/time.h"

namespace strife {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now Read() = 0;
};

}  // namespace strife
