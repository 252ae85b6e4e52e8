// Password hashes: argon2id (RFC 9106) in PHC string form, "$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>".
// Thread-safe. Each call takes the memory of its cost while it runs, so callers bound how many run at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace strife::security {

struct PasswordCost {
  std::uint32_t memory_kib = 0;
  std::uint32_t iterations = 0;
  std::uint32_t lanes = 0;

  bool operator==(const PasswordCost&) const = default;
};

// OWASP Password Storage Cheat Sheet, first choice for argon2id. RFC 9106's second recommendation takes 64 MiB and four
// lanes for each login: on a two-core gateway that is a lever for whoever floods it with logins.
inline constexpr PasswordCost kDefaultPasswordCost{.memory_kib = 19 * 1024, .iterations = 2, .lanes = 1};

// For passwords drawn at random with at least 100 bits, which no amount of guessing finds: stretching adds nothing.
inline constexpr PasswordCost kRandomPasswordCost{.memory_kib = 1024, .iterations = 1, .lanes = 1};

// Salted with 128 fresh random bits, 256-bit hash. kInvalidInput for an empty password or one over
// limits::kMaxPasswordBytes.
Result<std::string> HashPassword(std::string_view password, const PasswordCost& cost = kDefaultPasswordCost);

// False for a wrong password and for a hash that is none. Compares in constant time.
bool VerifyPassword(std::string_view password, const std::string& hash);

// The cost of a well-formed argon2id hash, version 19, within sane bounds (at most 1 GiB, 64 iterations, 16 lanes, so
// that a hostile file cannot stall the gateway); kInvalidInput for anything else.
Result<PasswordCost> ReadPasswordCost(std::string_view hash);

}  // namespace strife::security
