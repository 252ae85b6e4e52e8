#include "base/uuid.h"

namespace strife {
namespace {

// By tables, not by cases: with each message an id or two is read or written.
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> MakeHexValues() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}

constexpr std::array<std::uint8_t, 256> kHexValues = MakeHexValues();
constexpr std::string_view kHexDigits = "0123456789abcdef";
// Where the two digits of each byte are in the text; between them lie the dashes.
constexpr std::array<std::uint8_t, 16> kPlaces = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
constexpr std::array<std::uint8_t, 4> kDashes = {8, 13, 18, 23};

}  // namespace

std::string Uuid::ToString() const {
  std::string text(36, '-');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[kPlaces[i]] = kHexDigits[bytes[i] >> 4];
    text[kPlaces[i] + 1] = kHexDigits[bytes[i] & 0xf];
  }
  return text;
}

std::optional<Uuid> Uuid::Parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  for (const std::size_t dash : kDashes) {
    if (text[dash] != '-') return std::nullopt;
  }
  Uuid id;
  unsigned all = 0;  // has a high bit as soon as one was no digit
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const unsigned high = kHexValues[static_cast<std::uint8_t>(text[kPlaces[i]])];
    const unsigned low = kHexValues[static_cast<std::uint8_t>(text[kPlaces[i] + 1])];
    all |= high | low;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if (all > 0xf || id.IsNil()) return std::nullopt;
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
