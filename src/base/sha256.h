// A SHA-256 digest as a value: of certificates, tokens and the audit log. Computing one is the work of others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace strife {

using Sha256 = std::array<std::uint8_t, 32>;

struct Sha256Hash {
  std::size_t operator()(const Sha256& digest) const noexcept {
    std::size_t value;
    static_assert(sizeof value <= sizeof digest);
    std::memcpy(&value, digest.data(), sizeof value);
    return value;
  }
};

}  // namespace strife
