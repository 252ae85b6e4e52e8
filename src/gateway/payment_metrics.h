// What the gateway measures about payments: how they end, how long each phase takes, what is open.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/measure.h"
#include "base/time.h"
#include "observability/metrics.h"
#include "protocol/types.h"
#include "server/label_counts.h"
#include "server/open_ages.h"

namespace strife::gateway {

// Collect, Refused and Answered are thread-safe; the rest is for the engine's thread.
class PaymentMetrics {
 public:
  PaymentMetrics();

  // Payments that were open when the process started. Before the engine runs.
  void Recovered(std::span<const protocol::PaymentRecord> open);

  // Records that have become durable at `now`, in the cycle that began at `cycle_began`.
  void Durable(std::span<const protocol::PaymentRecord> records, MonotonicTime cycle_began, MonotonicTime now);

  // A request was answered with its payment, `took` after it came in.
  void Answered(Duration took) { total_.Add(took); }
  // A request was refused and left no record, or none of its own.
  void Refused(std::string_view reason_code) { refused_.Add(reason_code); }

  // Payments without an outcome, those of before the start included.
  std::uint64_t in_doubt() const { return open_.count(); }
  std::uint64_t completed() const;
  std::uint64_t aborted() const;

  void Collect(MetricWriter& writer, WallTime now) const;

 private:
  // When an open payment entered the phase it is in. Payments of before the start have none.
  struct Progress {
    MonotonicTime recorded;
    std::optional<MonotonicTime> decided;  // to commit
  };

  void Count(const protocol::PaymentRecord& record);
  void Time(const protocol::PaymentRecord& record, MonotonicTime cycle_began, MonotonicTime now);

  Counter recorded_;
  std::array<server::LabelCounts, 3> ended_;  // completed, aborted, partial
  server::LabelCounts refused_;
  LatencyHistogram prepare_, decision_, commit_, total_;
  server::OpenAges open_;
  server::OpenAges partial_;
  std::unordered_map<Uuid, Progress> progress_;
};

}  // namespace strife::gateway
