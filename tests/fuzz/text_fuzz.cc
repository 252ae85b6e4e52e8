// The small forms of text that come in from outside: UUIDs, identifiers, UTF-8, base64url, refresh tokens, password
// hashes, names in certificates.
#include "base/text.h"
#include "base/uuid.h"
#include "fuzz.h"
#include "security/certificate.h"
#include "security/encoding.h"
#include "security/password.h"
#include "security/refresh_token.h"

namespace strife {
namespace {

void TryUuid(std::string_view text) {
  const auto id = Uuid::Parse(text);
  if (!id) return;
  STRIFE_ASSERT(!id->IsNil());
  STRIFE_ASSERT(text.size() == 36 && Uuid::Parse(id->ToString()) == id);
}

void TrySanitize(std::string_view text) {
  for (const std::size_t most : {std::size_t{0}, std::size_t{7}, std::size_t{140}}) {
    const std::string clean = Sanitize(text, most);
    STRIFE_ASSERT(clean.size() <= most && IsPrintableUtf8(clean));
    if (IsPrintableUtf8(text) && text.size() <= most) STRIFE_ASSERT(clean == text);
  }
  if (IsIdentifier(text, 64)) STRIFE_ASSERT(text.size() <= 64 && IsPrintableUtf8(text) && text[0] != '.');
}

void TryBase64(std::string_view text) {
  const auto bytes = security::Base64UrlDecode(text);
  if (bytes) STRIFE_ASSERT(security::Base64UrlEncode(security::AsBytes(*bytes)) == text);  // one text for each value
}

void TryRefreshToken(std::string_view text) {
  if (!security::HashRefreshToken(text)) return;
  STRIFE_ASSERT(text.starts_with(security::kRefreshTokenPrefix) && text.size() < 64 && IsPrintableUtf8(text));
}

void TryPasswordHash(std::string_view text) {
  const auto cost = security::ReadPasswordCost(text);
  if (!cost) return fuzz::CheckMessage(cost.error().message);
  // Whatever a file says, no login takes more than this.
  STRIFE_ASSERT(cost->memory_kib <= 1024 * 1024 && cost->iterations <= 64 && cost->lanes <= 16);
  // Computes the hash, so only for cheap ones: a text that passes must be one that argon2 takes without harm.
  if (cost->memory_kib <= 64 && cost->iterations <= 2) {
    (void)security::VerifyPassword("a password that is not it", std::string(text));
  }
}

void TryIdentity(std::string_view text) {
  const auto identity = security::Identity::FromUri(text);
  if (!identity) return fuzz::CheckMessage(identity.error().message);
  STRIFE_ASSERT(identity->Uri() == text);
  STRIFE_ASSERT(security::IsTrustDomain(identity->trust_domain));
  STRIFE_ASSERT(IsIdentifier(identity->name, limits::kMaxUsernameBytes));
}

FUZZ_TARGET(text) {
  for (const auto attempt : {TryUuid, TrySanitize, TryBase64, TryRefreshToken, TryPasswordHash, TryIdentity}) {
    attempt(input);
  }
}

}  // namespace
}  // namespace strife
