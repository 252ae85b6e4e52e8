// Refresh tokens: "strife_rt_" and 256 random bits in base64url. They mean nothing in themselves; only their SHA-256 is
// ever stored. The prefix lets secret scanners and the access token check know one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "env/gateway_store.h"

namespace strife::security {

inline constexpr std::string_view kRefreshTokenPrefix = "strife_rt_";

struct NewRefreshToken {
  std::string text;  // secret: goes to the client and nowhere else
  Sha256 hash{};
};
NewRefreshToken MakeRefreshToken();

// What to look a presented token up by; nullopt when the text cannot be one of ours.
std::optional<Sha256> HashRefreshToken(std::string_view text);

}  // namespace strife::security
