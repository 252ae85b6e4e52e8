// What all fuzz targets are made of.
//
// A target is one file <name>_fuzz.cc with one FUZZ_TARGET(<name>) { … } that gets `input`, the bytes of one run. With
// clang (preset `fuzz`) it becomes a libFuzzer executable of its own; otherwise all targets go into one executable that
// replays the corpora, as a unit test. What a target claims about the code it checks with STRIFE_ASSERT: a crash is a
// finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"

namespace strife::fuzz {

// Takes the bytes of a run apart, front to back. Past the end everything is zero or empty.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }

  std::uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  // 0 to count - 1.
  std::size_t Index(std::size_t count) { return Byte() % count; }
  std::int64_t Integer() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | Byte();
    return static_cast<std::int64_t>(value);
  }
  // Up to 255 bytes, with their number in front.
  std::string_view Text() { return Take(Byte()); }
  std::string_view Take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view Rest() { return Take(rest_.size()); }

 private:
  std::string_view rest_;
};

// What every error in Strife is: something that can be shown to a person, whatever was in the input.
inline void CheckMessage(std::string_view message) {
  STRIFE_ASSERT(!message.empty());
  STRIFE_ASSERT(IsPrintableUtf8(message));
}

using TargetFunction = void (*)(std::string_view bytes);

// The targets of this executable; only the replay asks.
struct Target {
  const char* name;
  TargetFunction run;
};
std::vector<Target>& Targets();

}  // namespace strife::fuzz

#ifdef STRIFE_FUZZ
#define STRIFE_FUZZ_ENTRY(name)                                                       \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    Run##name(std::string_view(reinterpret_cast<const char*>(data), size));           \
    return 0;                                                                         \
  }
#else
#define STRIFE_FUZZ_ENTRY(name) \
  const bool k##name##Registered = (::strife::fuzz::Targets().push_back({#name, Run##name}), true);
#endif

#define FUZZ_TARGET(name)                        \
  static void Run##name(std::string_view input); \
  STRIFE_FUZZ_ENTRY(name)                        \
  static void Run##name([[maybe_unused]] std::string_view input)
