#include "base/uuid.h"

namespace strife {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool IsDashPosition(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

std::string Uuid::ToString() const {
  std::string text(36, '-');
  std::size_t at = 0;
  for (std::uint8_t byte : bytes) {
    if (IsDashPosition(at)) ++at;
    text[at++] = kHexDigits[byte >> 4];
    text[at++] = kHexDigits[byte & 0xf];
  }
  return text;
}

std::optional<Uuid> Uuid::Parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid id;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (IsDashPosition(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    int value = HexValue(text[i]);
    if (value < 0) return std::nullopt;
    id.bytes[nibble / 2] = static_cast<std::uint8_t>((id.bytes[nibble / 2] << 4) | value);
    ++nibble;
  }
  if (id.IsNil()) return std::nullopt;
  return id;
}

Uuid Uuid::MakeV7(std::int64_t unix_ms, std::array<std::uint8_t, 10> random) {
  Uuid id;
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(unix_ms) >> (8 * (5 - i)));
  }
  for (std::size_t i = 0; i < 10; ++i) id.bytes[6 + i] = random[i];
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x70);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

}  // namespace strife
