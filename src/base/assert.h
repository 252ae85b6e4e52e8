// STRIFE_ASSERT: a check for bugs, on in every build.
//
// A failed assertion means the program's own reasoning is wrong, so it stops at once: for a payment system a crash that
// recovery handles is better than going on with a state nobody has thought about. What can go wrong in operation
// (input, disks, networks) is never asserted; it is a Result.
#pragma once

namespace strife {

[[noreturn]] void AssertionFailed(const char* expression, const char* file, int line);

}  // namespace strife

#define STRIFE_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::strife::AssertionFailed(#expression, __FILE__, __LINE__))
