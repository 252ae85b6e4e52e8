#include "cli/audit_search.h"

#include <deque>
#include <utility>

#include "cli/output.h"

namespace strife::cli {
namespace {

// The matching records of (after, up_to], the last `limit` of them.
Result<std::deque<AuditEntry>> MatchingIn(AuditSnapshot& log, std::uint64_t after, std::uint64_t up_to,
                                          const AuditFilter& filter, std::size_t limit, WallTime* first_at) {
  auto cursor = log.Entries(after);
  if (!cursor) return std::unexpected(cursor.error());
  std::deque<AuditEntry> found;
  for (bool first = true;; first = false) {
    auto entry = (*cursor)->Next();
    if (!entry && entry.error().code == ErrorCode::kMalformed) {
      PrintError(entry.error().message);
      continue;
    }
    if (!entry) return std::unexpected(entry.error());
    if (!*entry || (*entry)->sequence > up_to) return found;
    if (first) *first_at = (*entry)->record.at;
    if (!filter.Matches((*entry)->record)) continue;
    found.push_back(**std::move(entry));
    if (found.size() > limit) found.pop_front();
  }
}

}  // namespace

Result<std::vector<AuditEntry>> LastMatching(AuditSnapshot& log, const AuditFilter& filter, std::size_t limit) {
  constexpr std::uint64_t kFirstStep = 1000;
  constexpr Duration kClockError = std::chrono::hours(24);  // times may have gone back by so much
  auto last = log.Last();
  if (!last) return std::unexpected(last.error());
  std::deque<AuditEntry> found;
  std::uint64_t up_to = *last ? (*last)->sequence : 0;
  for (std::uint64_t step = kFirstStep; up_to > 0 && found.size() < limit; step *= 2) {
    const std::uint64_t after = up_to > step ? up_to - step : 0;
    WallTime first_at{};
    auto more = MatchingIn(log, after, up_to, filter, limit - found.size(), &first_at);
    if (!more) return std::unexpected(more.error());
    found.insert(found.begin(), more->begin(), more->end());
    up_to = after;
    if (filter.since && first_at < *filter.since - kClockError) break;
  }
  return std::vector<AuditEntry>(found.begin(), found.end());
}

}  // namespace strife::cli
