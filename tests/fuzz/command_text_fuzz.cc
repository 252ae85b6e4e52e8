// What people type: the shell's lines, durations and times.
#include "cli/duration.h"
#include "cli/shell_line.h"
#include "fuzz.h"

namespace strife::cli {
namespace {

// Quoted so that any word comes back as it was.
std::string Quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

void TryLine(std::string_view line) {
  (void)SplitTyped(line);
  const auto words = SplitWords(line);
  if (!words) return fuzz::CheckMessage(words.error().message);
  std::string copy;
  for (const std::string& word : *words) copy += Quoted(word) + " ";
  STRIFE_ASSERT(SplitWords(copy) == *words);
}

void TryDuration(std::string_view text) {
  const auto duration = ParseDuration(text);
  if (!duration) return fuzz::CheckMessage(duration.error().message);
  STRIFE_ASSERT(*duration >= Duration::zero());
}

void TryTime(std::string_view text) {
  const WallTime now(std::chrono::seconds(1'800'000'000));
  const auto time = ParseTime(text, now);
  if (!time) return fuzz::CheckMessage(time.error().message);
  // Shown and read again it is the same, to the millisecond.
  if (*time >= WallTime{}) {
    const auto again = ParseTime(FormatTime(*time), now);
    STRIFE_ASSERT(again.has_value() && *time - *again < std::chrono::milliseconds(1) && *time >= *again);
  }
}

FUZZ_TARGET(command_text) {
  TryLine(input);
  TryDuration(input);
  TryTime(input);
}

}  // namespace
}  // namespace strife::cli
