// AssertionsThrow: for the simulator, which reports a failed assertion as what it found instead of dying of it.
#pragma once

#include <stdexcept>

namespace strife {

class AssertionError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// While one exists, assertions that fail on this thread throw AssertionError. Whatever they were thrown through must be
// discarded.
class AssertionsThrow {
 public:
  AssertionsThrow();
  ~AssertionsThrow();
  AssertionsThrow(const AssertionsThrow&) = delete;
  AssertionsThrow& operator=(const AssertionsThrow&) = delete;
};

}  // namespace strife
