// A line of the shell as words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace strife::cli {

// Words are separated by blanks; '…' and "…" keep them together, and outside '…' a backslash keeps the next character
// as it is. '#' at the start of a word begins a comment. kInvalidInput when a quote is not closed.
Result<std::vector<std::string>> SplitWords(std::string_view line);

// The words before the one that is being typed, and what there is of that one.
struct Typed {
  std::vector<std::string> before;
  std::string prefix;
};
Typed SplitTyped(std::string_view line);

}  // namespace strife::cli
