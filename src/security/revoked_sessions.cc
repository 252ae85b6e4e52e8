#include "security/revoked_sessions.h"

#include <mutex>

namespace strife::security {

void RevokedSessions::Add(const Uuid& session_id, const Now& now) {
  std::unique_lock lock(mutex_);
  added_.emplace(session_id, now);
}

bool RevokedSessions::Contains(const Uuid& session_id) const {
  std::shared_lock lock(mutex_);
  return added_.contains(session_id);
}

void RevokedSessions::Prune(const Now& now) {
  std::unique_lock lock(mutex_);
  std::erase_if(added_, [&](const auto& entry) {
    return now.monotonic - entry.second.monotonic > kRememberRevoked && now.wall - entry.second.wall > kRememberRevoked;
  });
}

std::size_t RevokedSessions::size() const {
  std::shared_lock lock(mutex_);
  return added_.size();
}

}  // namespace strife::security
