// Text forms of bytes, and SHA-256.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "env/gateway_store.h"

namespace strife::security {

inline std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Sha256 Sha256Of(std::span<const std::uint8_t> bytes);
inline Sha256 Sha256Of(std::string_view text) { return Sha256Of(AsBytes(text)); }

std::string HexEncode(std::span<const std::uint8_t> bytes);

// RFC 4648 section 5 without padding, as JWS uses it.
std::string Base64UrlEncode(std::span<const std::uint8_t> bytes);
// Strict: no padding, no characters outside the alphabet, no stray bits; so every value has exactly one text.
std::optional<std::string> Base64UrlDecode(std::string_view text);

}  // namespace strife::security
