// Access tokens. The first byte says what the input is: a token as it came over the wire; or header and payload that
// are signed here with the right key, so that what lies behind the signature is tried as well (a stolen key must not
// crash the gateway either). "KID" in the header stands for the key's id.
#include "fuzz.h"
#include "scratch.h"
#include "security/encoding.h"
#include "security/token.h"

namespace strife::security {
namespace {

struct Gateway {
  fuzz::Scratch scratch;
  std::shared_ptr<const TokenKeys> keys = TokenKeys::LoadOrCreate(scratch / "keys", WallTime{}).value();
  TokenScope scope{"strife", "strife-gateway"};
  TokenVerifier verifier{keys, scope};
  TokenSigner signer{keys, scope};
};

std::string SignedToken(const Gateway& gateway, fuzz::Input& in) {
  std::string header(in.Text());
  if (const auto kid = header.find("KID"); kid != std::string::npos) {
    header.replace(kid, 3, gateway.keys->signing_kid());
  }
  const std::string text = Base64UrlEncode(AsBytes(header)) + "." + Base64UrlEncode(AsBytes(in.Rest()));
  return text + "." + Base64UrlEncode(AsBytes(gateway.keys->Sign(text)));
}

FUZZ_TARGET(token) {
  static const Gateway gateway;
  fuzz::Input in(input);
  const bool ours = in.Byte() % 2 == 1;
  const std::string token = ours ? SignedToken(gateway, in) : std::string(in.Rest());
  const WallTime now(std::chrono::seconds(1'800'000'000));
  const auto claims = gateway.verifier.Verify(token, Sha256{}, now);
  if (!claims) {
    fuzz::CheckMessage(Describe(claims.error()));
    return;
  }
  STRIFE_ASSERT(ours);  // else a signature has been forged
  STRIFE_ASSERT(IsIdentifier(claims->username, limits::kMaxUsernameBytes));
  STRIFE_ASSERT(claims->expires_at > now && claims->not_before <= now + kTokenClockSkew);
  STRIFE_ASSERT(claims->certificate_thumbprint == Sha256{});
  STRIFE_ASSERT(gateway.verifier.Verify(gateway.signer.Sign(*claims), Sha256{}, now) == *claims);
}

}  // namespace
}  // namespace strife::security
