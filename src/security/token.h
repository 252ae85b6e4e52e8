// Access tokens: JWTs (RFC 7519) of the kind RFC 9068 describes, signed with ES256 and bound to the client's
// certificate (RFC 8705). Header: alg ES256, typ at+jwt, kid. Claims: iss aud sub jti sid iat nbf exp role
// cnf.x5t#S256.
//
// Only tokens with exactly that header are looked at; nothing in a token chooses the algorithm, and no key is ever
// fetched. Times have whole seconds. Why no JWT library does this: docs/decisions/0003-jwt-library.md.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "base/uuid.h"
#include "env/gateway_store.h"
#include "security/token_keys.h"
#include "security/users.h"

namespace strife::security {

struct AccessTokenClaims {
  std::string username;  // sub
  Uuid token_id;         // jti
  Uuid session_id;       // sid
  UserRole role = UserRole::kUser;
  Sha256 certificate_thumbprint{};  // cnf.x5t#S256
  WallTime issued_at;
  WallTime not_before;
  WallTime expires_at;

  bool operator==(const AccessTokenClaims&) const = default;
};

// Why a token was refused: for the log and the tests. Callers of the API are told only UNAUTHENTICATED.
enum class TokenRefusal : std::uint8_t {
  kTooLong,         // over limits::kMaxTokenBytes
  kRefreshToken,    // a refresh token where an access token belongs
  kMalformed,       // not three parts of strict base64url, not JSON, a key twice, a header field or claim of wrong type
  kWrongAlgorithm,  // alg is not ES256
  kWrongType,       // typ is not at+jwt
  kForbiddenHeader,  // jku, jwk, x5u, x5c, crit or anything else that is not alg, typ, kid
  kUnknownKey,       // kid names none of our keys
  kBadSignature,
  kWrongIssuer,
  kWrongAudience,
  kMissingClaim,
  kExpired,
  kNotYetValid,
  kOtherCertificate,  // bound to another client certificate
};

// A phrase such as "the token has expired".
std::string_view Describe(TokenRefusal refusal);

// What iss and aud of a gateway's tokens are: every replica of one gateway uses the same.
struct TokenScope {
  std::string issuer;
  std::string audience;
};

// Thread-safe.
class TokenSigner {
 public:
  TokenSigner(std::shared_ptr<const TokenKeys> keys, TokenScope scope);

  // The compact form. `claims.token_id` and the times are the caller's; sub-second parts of the times are cut off.
  std::string Sign(const AccessTokenClaims& claims) const;

 private:
  std::shared_ptr<const TokenKeys> keys_;
  TokenScope scope_;
};

// Thread-safe.
class TokenVerifier {
 public:
  TokenVerifier(std::shared_ptr<const TokenKeys> keys, TokenScope scope);

  // `certificate_thumbprint` is that of the connection the token came over. A token is valid from nbf (allowing for
  // kTokenClockSkew) until just before exp. Whether its session has been revoked is for the caller to ask, on each
  // call. Nothing in the claims is trusted before the signature has been checked. Costs some 100 µs: see
  // VerifiedTokenCache.
  std::expected<AccessTokenClaims, TokenRefusal> Verify(std::string_view token, const Sha256& certificate_thumbprint,
                                                        WallTime now) const;

 private:
  std::shared_ptr<const TokenKeys> keys_;
  TokenScope scope_;
};

// How far the clocks of gateway replicas may differ. Only for nbf: expiry has no grace.
inline constexpr Duration kTokenClockSkew = std::chrono::seconds(10);

// The checks of Verify that must be made on each use of a token, also when its signature is known to be good.
std::optional<TokenRefusal> CheckTokenUse(const AccessTokenClaims& claims, const Sha256& certificate_thumbprint,
                                          WallTime now);

}  // namespace strife::security
