#include "server/refusals.h"

#include <limits>
#include <utility>

namespace strife::server {
namespace {

// Without the port, which is another one with each connection.
std::string HostOf(const std::string& peer) {
  const auto colon = peer.rfind(':');
  return colon == std::string::npos ? peer : peer.substr(0, colon);
}

}  // namespace

void Refusals::Count(protocol::AuditRecord record) {
  Kind kind(record.event, std::move(record.actor), HostOf(record.peer), std::move(record.subject),
            std::move(record.detail));
  const std::scoped_lock lock(mutex_);
  if (sums_.size() >= kMaxKinds && !sums_.contains(kind)) kind = Kind(record.event, "", "", "others", "");
  std::uint32_t& count = sums_[std::move(kind)].count;
  if (count < std::numeric_limits<std::uint32_t>::max()) ++count;
}

std::vector<protocol::AuditRecord> Refusals::Take(const Now& now, bool all) {
  std::vector<protocol::AuditRecord> due;
  const std::scoped_lock lock(mutex_);
  for (auto at = sums_.begin(); at != sums_.end();) {
    auto& [kind, sum] = *at;
    if (sum.told && now.monotonic < sum.quiet_until && !all) {
      ++at;
      continue;
    }
    if (sum.count == 0) {  // a whole minute without
      at = sums_.erase(at);
      continue;
    }
    protocol::AuditRecord& record = due.emplace_back();
    std::tie(record.event, record.actor, record.peer, record.subject, record.detail) = kind;
    record.at = now.wall;
    record.count = sum.count;
    sum = {0, true, now.monotonic + kQuiet};
    ++at;
  }
  return due;
}

std::vector<protocol::AuditRecord> Refusals::Due(const Now& now) { return Take(now, false); }
std::vector<protocol::AuditRecord> Refusals::Rest(const Now& now) { return Take(now, true); }

}  // namespace strife::server
