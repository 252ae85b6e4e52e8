#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace strife {

void AssertionFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "strife: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace strife
