#include "security/token_cache.h"

#include <algorithm>

#include "base/limits.h"
#include "security/encoding.h"

namespace strife::security {

VerifiedTokenCache::VerifiedTokenCache(const TokenVerifier& verifier, std::size_t capacity)
    : verifier_(verifier), capacity_per_shard_(std::max<std::size_t>(capacity / kShards, 1)) {}

std::expected<AccessTokenClaims, TokenRefusal> VerifiedTokenCache::Verify(std::string_view token,
                                                                          const Sha256& certificate_thumbprint,
                                                                          WallTime now) {
  if (token.size() > limits::kMaxTokenBytes) return std::unexpected(TokenRefusal::kTooLong);
  const Sha256 token_hash = Sha256Of(token);
  Shard& shard = ShardOf(token_hash);
  {
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.by_hash.find(token_hash); found != shard.by_hash.end()) {
      const AccessTokenClaims& claims = found->second->claims;
      if (const auto refusal = CheckTokenUse(claims, certificate_thumbprint, now)) return std::unexpected(*refusal);
      return claims;
    }
  }
  auto claims = verifier_.Verify(token, certificate_thumbprint, now);
  if (claims) Insert(shard, token_hash, *claims, now);
  return claims;
}

void VerifiedTokenCache::Insert(Shard& shard, const Sha256& token_hash, const AccessTokenClaims& claims, WallTime now) {
  const std::lock_guard lock(shard.mutex);
  if (shard.by_hash.contains(token_hash)) return;
  // Tokens live equally long, so the oldest expire first.
  while (!shard.oldest_first.empty() &&
         (shard.oldest_first.front().claims.expires_at <= now || shard.oldest_first.size() >= capacity_per_shard_)) {
    shard.by_hash.erase(shard.oldest_first.front().token_hash);
    shard.oldest_first.pop_front();
  }
  shard.oldest_first.push_back({token_hash, claims});
  shard.by_hash.emplace(token_hash, std::prev(shard.oldest_first.end()));
}

std::size_t VerifiedTokenCache::size() const {
  std::size_t total = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    total += shard.by_hash.size();
  }
  return total;
}

}  // namespace strife::security
