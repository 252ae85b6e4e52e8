#include "cli/shell_line.h"

#include <optional>
#include <utility>

namespace strife::cli {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Takes a line apart; `open` is the word that the end of the line leaves open, if there is one.
struct Splitter {
  std::vector<std::string> words;
  std::optional<std::string> open;
  char quote = '\0';

  void Take(std::string_view line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
        Add(line[++i]);
      } else if (quote != '\0') {
        if (c == quote) {
          quote = '\0';
        } else {
          Add(c);
        }
      } else if (c == '\'' || c == '"') {
        quote = c;
        if (!open) open.emplace();
      } else if (IsBlank(c)) {
        if (open) words.push_back(*std::exchange(open, std::nullopt));
      } else if (c == '#' && !open) {
        return;
      } else {
        Add(c);
      }
    }
  }
  void Add(char c) {
    if (!open) open.emplace();
    *open += c;
  }
};

}  // namespace

Result<std::vector<std::string>> SplitWords(std::string_view line) {
  Splitter splitter;
  splitter.Take(line);
  if (splitter.quote != '\0') {
    return Fail(ErrorCode::kInvalidInput, std::string("the quote ") + splitter.quote + " is not closed; close it");
  }
  if (splitter.open) splitter.words.push_back(*std::move(splitter.open));
  return std::move(splitter.words);
}

Typed SplitTyped(std::string_view line) {
  Splitter splitter;
  splitter.Take(line);
  return {std::move(splitter.words), splitter.open.value_or("")};
}

}  // namespace strife::cli
