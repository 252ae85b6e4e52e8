#include "base/text.h"

#include <cstdint>

namespace strife {
namespace {

struct Decoded {
  std::uint32_t code_point = 0;
  std::size_t length = 0;  // 0: malformed
};

Decoded DecodeUtf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  std::size_t length = 0;
  std::uint32_t code_point = 0, smallest = 0;
  if ((lead & 0xe0) == 0xc0) {
    length = 2, code_point = lead & 0x1fu, smallest = 0x80;
  } else if ((lead & 0xf0) == 0xe0) {
    length = 3, code_point = lead & 0x0fu, smallest = 0x800;
  } else if ((lead & 0xf8) == 0xf0) {
    length = 4, code_point = lead & 0x07u, smallest = 0x10000;
  } else {
    return {};
  }
  if (text.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code_point = (code_point << 6) | (byte(i) & 0x3fu);
  }
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < smallest || code_point > 0x10ffff || surrogate) return {};
  return {code_point, length};
}

bool IsPrintable(std::uint32_t c) {
  if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return false;
  const bool separator = c == 0x2028 || c == 0x2029;
  const bool direction = (c >= 0x200e && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  return !separator && !direction && c != 0xfeff;
}

}  // namespace

bool IsPrintableUtf8(std::string_view text) {
  while (!text.empty()) {
    const Decoded decoded = DecodeUtf8(text);
    if (decoded.length == 0 || !IsPrintable(decoded.code_point)) return false;
    text.remove_prefix(decoded.length);
  }
  return true;
}

bool IsIdentifier(std::string_view text, std::size_t max_bytes) {
  if (text.empty() || text.size() > max_bytes) return false;
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (!alphanumeric(text[0])) return false;
  for (char c : text) {
    if (!alphanumeric(c) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

std::string Sanitize(std::string_view text, std::size_t max_bytes) {
  std::string clean;
  while (!text.empty() && clean.size() < max_bytes) {
    const Decoded decoded = DecodeUtf8(text);
    if (decoded.length == 0 || !IsPrintable(decoded.code_point)) {
      clean += '?';
      text.remove_prefix(1);
      continue;
    }
    if (clean.size() + decoded.length > max_bytes) break;
    clean.append(text.substr(0, decoded.length));
    text.remove_prefix(decoded.length);
  }
  return clean;
}

}  // namespace strife
