#include "protocol/trace_context.h"

#include <algorithm>
#include <functional>
#include <span>

#include "base/random.h"

namespace strife::protocol {
namespace {

constexpr std::size_t kVersion00Bytes = 55;  // vv-tttttttttttttttttttttttttttttttt-pppppppppppppppp-ff
constexpr std::size_t kTraceIdAt = 3, kParentIdAt = 36, kFlagsAt = 53;

// Lower case only: the recommendation allows no other.
std::optional<std::uint8_t> Digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  return std::nullopt;
}

bool ReadHex(std::string_view text, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto high = Digit(text[2 * i]);
    const auto low = Digit(text[2 * i + 1]);
    if (!high || !low) return false;
    out[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return true;
}

void AppendHex(std::span<const std::uint8_t> bytes, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

bool IsZero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view text) {
  if (text.size() < kVersion00Bytes) return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceContext context;
  if (!ReadHex(text, version) || version[0] == 0xff) return std::nullopt;
  if (version[0] == 0 && text.size() != kVersion00Bytes) return std::nullopt;
  if (text.size() > kVersion00Bytes && text[kVersion00Bytes] != '-') return std::nullopt;
  if (text[kTraceIdAt - 1] != '-' || text[kParentIdAt - 1] != '-' || text[kFlagsAt - 1] != '-') return std::nullopt;
  if (!ReadHex(text.substr(kTraceIdAt), context.trace_id) || IsZero(context.trace_id)) return std::nullopt;
  if (!ReadHex(text.substr(kParentIdAt), context.parent_id) || IsZero(context.parent_id)) return std::nullopt;
  if (!ReadHex(text.substr(kFlagsAt), flags)) return std::nullopt;
  context.sampled = (flags[0] & 1) != 0;
  return context;
}

std::string ToTraceparent(const TraceContext& context) {
  std::string text = "00-";
  text.reserve(kVersion00Bytes);
  AppendHex(context.trace_id, text);
  text += '-';
  AppendHex(context.parent_id, text);
  text += context.sampled ? "-01" : "-00";
  return text;
}

std::string TraceIdText(const TraceContext& context) {
  std::string text;
  AppendHex(context.trace_id, text);
  return text;
}

TraceContext NextHop(const TraceContext& context, const Uuid& payment, std::uint64_t epoch) {
  std::uint64_t seed = std::hash<Uuid>()(payment) ^ epoch;
  for (const std::uint8_t byte : context.parent_id) seed = seed * 257 + byte;
  std::uint64_t bits = Random(seed).Next() | 1;  // zero is no id
  TraceContext next = context;
  for (std::uint8_t& byte : next.parent_id) {
    byte = static_cast<std::uint8_t>(bits);
    bits >>= 8;
  }
  return next;
}

}  // namespace strife::protocol
