// VerifiedTokenCache: so that a token costs its signature once, not on every call.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <list>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "env/gateway_store.h"
#include "security/token.h"

namespace strife::security {

// Thread-safe; its locks are sharded by token. Holds at most `capacity` tokens, forgetting the oldest first. A token
// that is in it is still checked for its certificate and its times on every use; its session's revocation is the
// caller's to check, on every call.
class VerifiedTokenCache {
 public:
  // `verifier` must outlive the cache. A change of keys needs a new verifier and a new cache.
  VerifiedTokenCache(const TokenVerifier& verifier, std::size_t capacity);

  // As TokenVerifier::Verify.
  std::expected<AccessTokenClaims, TokenRefusal> Verify(std::string_view token, const Sha256& certificate_thumbprint,
                                                        WallTime now);

  std::size_t size() const;

 private:
  struct Entry {
    Sha256 token_hash;
    AccessTokenClaims claims;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Entry> oldest_first;
    std::unordered_map<Sha256, std::list<Entry>::iterator, Sha256Hash> by_hash;
  };
  static constexpr std::size_t kShards = 16;

  Shard& ShardOf(const Sha256& token_hash) { return shards_[token_hash[31] % kShards]; }
  void Insert(Shard& shard, const Sha256& token_hash, const AccessTokenClaims& claims, WallTime now);

  const TokenVerifier& verifier_;
  const std::size_t capacity_per_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace strife::security
