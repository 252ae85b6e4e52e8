// RevokedSessions: the in-memory view that every call with an access token asks.
#pragma once

#include <cstddef>
#include <shared_mutex>
#include <unordered_map>

#include "base/time.h"
#include "base/uuid.h"

namespace strife::security {

// Thread-safe. It only has to know sessions whose access tokens may still be unexpired: fill it at start from
// GatewayReader::SessionsRevokedSince(now - access token lifetime), add each session when its revocation is durable,
// and prune what was revoked longer ago than that.
class RevokedSessions {
 public:
  void Add(const Uuid& session_id, WallTime revoked_at);
  bool Contains(const Uuid& session_id) const;
  // Forgets sessions revoked before `revoked_before`.
  void Prune(WallTime revoked_before);
  std::size_t size() const;

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<Uuid, WallTime> revoked_at_;
};

}  // namespace strife::security
