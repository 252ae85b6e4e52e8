// How an engine's cycles have been; fed by its thread, read from any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/measure.h"

namespace strife::runtime {

struct EngineStats {
  std::atomic<std::uint64_t> cycles{0};
  std::atomic<std::uint64_t> inputs{0};
  std::atomic<std::uint64_t> largest_batch{0};
  SizeHistogram batch_inputs;
  LatencyHistogram cycle;   // from taking the inputs to having handed out what they caused
  LatencyHistogram commit;  // of cycles that had records: until they were durable
};

// Adds the time from its making to its end.
class Stopwatch {
 public:
  explicit Stopwatch(LatencyHistogram& to) : to_(to), started_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() { to_.Add(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started_)); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  LatencyHistogram& to_;
  const std::chrono::steady_clock::time_point started_;
};

}  // namespace strife::runtime
