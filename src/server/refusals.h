// Sums refusals up for the audit log, so that a flood of them is told without filling the disk.
//
// What is refused for the first time becomes a record at once; the same again within a minute is counted, and the
// minute ends with one record that says how often. Of one minute at most kMaxKinds kinds are told apart.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "protocol/audit.h"

namespace strife::server {

// Thread-safe.
class Refusals {
 public:
  static constexpr std::size_t kMaxKinds = 128;
  static constexpr Duration kQuiet = std::chrono::minutes(1);

  // Counts one; `at` and `count` are filled in later. Never blocks for long.
  void Count(protocol::AuditRecord record);
  // What is to be written now; meant to be asked every half second or so.
  std::vector<protocol::AuditRecord> Due(const Now& now);
  // All that has been counted and not written, before the process ends.
  std::vector<protocol::AuditRecord> Rest(const Now& now);

 private:
  using Kind = std::tuple<protocol::AuditEvent, std::string, std::string, std::string, std::string>;
  struct Sum {
    std::uint32_t count = 0;
    bool told = false;          // within the minute that ends …
    MonotonicTime quiet_until;  // … here
  };

  std::vector<protocol::AuditRecord> Take(const Now& now, bool all);

  std::mutex mutex_;
  std::map<Kind, Sum> sums_;  // guarded by mutex_
};

}  // namespace strife::server
