#include "security/random.h"

#include <openssl/rand.h>

#include "base/assert.h"

namespace strife::security {

void FillRandom(std::span<std::uint8_t> out) {
  STRIFE_ASSERT(out.size() <= 1 << 20);
  STRIFE_ASSERT(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

Uuid NewUuidV7(WallTime now) {
  const auto unix_ms = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
  return Uuid::MakeV7(unix_ms, RandomBytes<10>());
}

Uuid NewUuidV4() {
  Uuid id{RandomBytes<16>()};
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

}  // namespace strife::security
