// RevokedSessions: the in-memory view that every call with an access token asks.
#pragma once

#include <chrono>
#include <cstddef>
#include <shared_mutex>
#include <unordered_map>

#include "base/limits.h"
#include "base/time.h"
#include "base/uuid.h"
#include "security/token.h"

namespace strife::security {

// How long an access token can be good after its session was revoked, whatever lifetime was configured when it was
// made.
inline constexpr Duration kRememberRevoked = std::chrono::seconds(limits::kMaxAccessTokenSeconds) + kTokenClockSkew;

// Thread-safe. It only has to know sessions whose access tokens may still be unexpired: fill it at start from
// GatewayReader::SessionsRevokedSince(now - kRememberRevoked), and add each session when its revocation is durable.
//
// Tokens expire by the wall clock, which may be set. So a session is forgotten when kRememberRevoked has passed by both
// clocks: one that jumps ahead forgets nothing early, and one that is set back brings no token back.
class RevokedSessions {
 public:
  void Add(const Uuid& session_id, const Now& now);
  bool Contains(const Uuid& session_id) const;
  // Forgets what was added long enough before `now`.
  void Prune(const Now& now);
  std::size_t size() const;

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<Uuid, Now> added_;
};

}  // namespace strife::security
