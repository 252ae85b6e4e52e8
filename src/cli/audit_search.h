// Looking for records in an audit log.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/audit_log.h"

namespace strife::cli {

// Which records; what is empty or absent does not matter.
struct AuditFilter {
  std::vector<protocol::AuditEvent> events;
  std::string actor, subject;
  std::optional<WallTime> since, until;

  bool Matches(const protocol::AuditRecord& record) const {
    return (events.empty() || std::ranges::find(events, record.event) != events.end()) &&
           (actor.empty() || record.actor == actor) && (subject.empty() || record.subject == subject) &&
           (!since || record.at >= *since) && (!until || record.at < *until);
  }
};

// The last `limit` that match, oldest first, looking back from the end in ever longer steps. Rows that cannot be read
// are told on standard error and passed over.
Result<std::vector<AuditEntry>> LastMatching(AuditSnapshot& log, const AuditFilter& filter, std::size_t limit);

}  // namespace strife::cli
