#include "base/assert.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/assertions_throw.h"

namespace strife {
namespace {

thread_local int throwing = 0;

}  // namespace

void AssertionFailed(const char* expression, const char* file, int line) {
  if (throwing > 0) {
    throw AssertionError("assertion failed: " + std::string(expression) + " (" + file + ":" + std::to_string(line) +
                         ")");
  }
  std::fprintf(stderr, "strife: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

AssertionsThrow::AssertionsThrow() { ++throwing; }
AssertionsThrow::~AssertionsThrow() { --throwing; }

}  // namespace strife
