// TokenRing: signs and verifies access tokens while the keys change underneath.
//
// Keys live in a directory (token_keys.h). A key that is put there is found within seconds and signs from then on; the
// one before it goes on verifying until the last token it can have signed has expired, and is then deleted. A key that
// somebody takes away is believed no longer, and no token that was verified with it either.
#pragma once

#include <atomic>
#include <expected>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "security/token.h"
#include "security/token_cache.h"
#include "security/token_keys.h"

namespace strife::security {

class TokenRing {
 public:
  // What became of the keys.
  struct Change {
    std::vector<std::string> added, retired;  // kids; `retired` holds those that were taken away, too
    std::string signing_kid;
    bool empty() const { return added.empty() && retired.empty(); }
  };

  // As TokenKeys::LoadOrCreate. No token lives longer than `token_lifetime`.
  static Result<std::unique_ptr<TokenRing>> Open(std::filesystem::path directory, TokenScope scope,
                                                 Duration token_lifetime, const Now& now);

  // As TokenSigner::Sign. Thread-safe, as Verify.
  std::string Sign(const AccessTokenClaims& claims) const { return keys_.load()->signer.Sign(claims); }
  // As TokenVerifier::Verify; remembers what it has verified.
  std::expected<AccessTokenClaims, TokenRefusal> Verify(std::string_view token, const Sha256& certificate_thumbprint,
                                                        WallTime now) const {
    return keys_.load()->cache.Verify(token, certificate_thumbprint, now);
  }

  // The two below belong to one thread.

  // Loads the keys again; after an error all is as before.
  Result<Change> Reload(const Now& now);
  // Does what is due: loads keys that have come or gone, deletes those that have had their time. Costs a look at the
  // directory; call it every few seconds.
  Result<Change> Refresh(const Now& now);

 private:
  // Replaced as one, so that what a key has verified goes with the key.
  struct Loaded {
    Loaded(const std::shared_ptr<const TokenKeys>& loaded, const TokenScope& scope);

    std::shared_ptr<const TokenKeys> keys;
    TokenSigner signer;
    TokenVerifier verifier;
    mutable VerifiedTokenCache cache;
  };

  TokenRing(std::filesystem::path directory, TokenScope scope, Duration token_lifetime)
      : directory_(std::move(directory)), scope_(std::move(scope)), token_lifetime_(token_lifetime) {}

  const std::filesystem::path directory_;
  const TokenScope scope_;
  const Duration token_lifetime_;
  std::atomic<std::shared_ptr<const Loaded>> keys_;
  // Keys that no longer sign, and when this process last can have signed with them. After a restart: when it started,
  // which keeps them a little longer than needed.
  std::map<std::string, MonotonicTime> superseded_;
};

}  // namespace strife::security
