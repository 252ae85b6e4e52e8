// The only source of randomness for secrets, ids and serials: OpenSSL's CSPRNG. Thread-safe. The process stops when the
// system can give no randomness, because nothing that would follow is safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/time.h"
#include "base/uuid.h"

namespace strife::security {

void FillRandom(std::span<std::uint8_t> out);

template <std::size_t N>
std::array<std::uint8_t, N> RandomBytes() {
  std::array<std::uint8_t, N> bytes;
  FillRandom(bytes);
  return bytes;
}

// Time-ordered id (RFC 9562, version 7).
Uuid NewUuidV7(WallTime now);
// Random id (version 4), for what must not tell when it was made.
Uuid NewUuidV4();

}  // namespace strife::security
