// How often something happened that an operator should know of, since the process started.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "observability/log.h"
#include "observability/metrics.h"
#include "server/label_counts.h"

namespace strife::server {

// Thread-safe.
class EventCounts {
 public:
  // All events there can be; literals.
  explicit EventCounts(std::span<const std::string_view> events) : counts_(events) {}

  void Count(std::string_view event) { counts_.Add(event); }

  // One line with all that have happened, when any has since the last. For one thread.
  void Write(Logger& log) {
    std::uint64_t sum = 0;
    LogLine line("events");
    counts_.Each([&](std::string_view event, const Counter& count) {
      if (count.value() > 0) line.Add(event, count.value());
      sum += count.value();
    });
    if (sum == written_) return;
    written_ = sum;
    log.Write(LogLevel::kWarning, line);
  }

  void Collect(MetricWriter& writer) const {
    counts_.Each([&](std::string_view event, const Counter& count) {
      writer.Count("strife_events_total", "Things an operator should know of.", {{"event", event}}, count);
    });
  }

 private:
  LabelCounts counts_;
  std::uint64_t written_ = 0;
};

}  // namespace strife::server
