#include "security/refresh_token.h"

#include "security/encoding.h"
#include "security/random.h"

namespace strife::security {

namespace {
constexpr std::size_t kSecretBytes = 32;
}

NewRefreshToken MakeRefreshToken() {
  NewRefreshToken token;
  token.text = std::string(kRefreshTokenPrefix) + Base64UrlEncode(RandomBytes<kSecretBytes>());
  token.hash = Sha256Of(token.text);
  return token;
}

std::optional<Sha256> HashRefreshToken(std::string_view text) {
  if (!text.starts_with(kRefreshTokenPrefix)) return std::nullopt;
  const auto secret = Base64UrlDecode(text.substr(kRefreshTokenPrefix.size()));
  if (!secret || secret->size() != kSecretBytes) return std::nullopt;
  return Sha256Of(text);
}

}  // namespace strife::security
