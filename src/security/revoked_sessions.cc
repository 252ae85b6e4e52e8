#include "security/revoked_sessions.h"

#include <mutex>

namespace strife::security {

void RevokedSessions::Add(const Uuid& session_id, WallTime revoked_at) {
  std::unique_lock lock(mutex_);
  revoked_at_.emplace(session_id, revoked_at);
}

bool RevokedSessions::Contains(const Uuid& session_id) const {
  std::shared_lock lock(mutex_);
  return revoked_at_.contains(session_id);
}

void RevokedSessions::Prune(WallTime revoked_before) {
  std::unique_lock lock(mutex_);
  std::erase_if(revoked_at_, [&](const auto& entry) { return entry.second < revoked_before; });
}

std::size_t RevokedSessions::size() const {
  std::shared_lock lock(mutex_);
  return revoked_at_.size();
}

}  // namespace strife::security
