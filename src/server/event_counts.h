// How often something happened that an operator should know of, since the process started.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "observability/log.h"

namespace strife::server {

// Thread-safe.
class EventCounts {
 public:
  void Count(std::string_view event) {
    const std::scoped_lock lock(mutex_);
    ++counts_[std::string(event)];
    changed_ = true;
  }

  // One line with all of them, when any has changed since the last.
  void Write(Logger& log) {
    const std::scoped_lock lock(mutex_);
    if (!changed_) return;
    changed_ = false;
    LogLine line("events");
    for (const auto& [event, count] : counts_) line.Add(event, count);
    log.Write(LogLevel::kWarning, line);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> counts_;  // guarded by mutex_, as `changed_`
  bool changed_ = false;
};

}  // namespace strife::server
