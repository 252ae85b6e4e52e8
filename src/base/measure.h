// Counters and histograms that cost a few nanoseconds to feed and may be read at any time: what a process says about
// itself. They know no names; whoever reads them gives those (observability/metrics.h).
//
// All are thread-safe and lock-free. Each value is read by itself: values read together may be a moment apart.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace strife {

// Only grows.
class Counter {
 public:
  void Add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Counts values by the first of `kBounds` they do not exceed; the last bucket takes what exceeds them all.
template <const auto& kBounds>
class BoundedHistogram {
 public:
  static constexpr std::size_t kBuckets = kBounds.size() + 1;

  void Add(std::uint64_t value) {
    const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), value) - kBounds.begin();
    buckets_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  // How many values are in bucket i, those of smaller buckets not included.
  std::uint64_t bucket(std::size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }
  std::uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<std::uint64_t> sum_{0};
};

// 0.1 ms to 10 s.
inline constexpr std::array<std::uint64_t, 16> kLatencyBoundsUs = {
    100,    200,     500,     1'000,   2'000,     5'000,     10'000,    20'000,
    50'000, 100'000, 200'000, 500'000, 1'000'000, 2'000'000, 5'000'000, 10'000'000};
inline constexpr std::array<std::uint64_t, 12> kSizeBounds = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048};

class LatencyHistogram : public BoundedHistogram<kLatencyBoundsUs> {
 public:
  using BoundedHistogram::Add;
  // A negative duration, of a wall clock that was set back, counts as none.
  void Add(Duration duration) { Add(static_cast<std::uint64_t>(std::max<Duration::rep>(duration.count(), 0))); }
};

using SizeHistogram = BoundedHistogram<kSizeBounds>;

}  // namespace strife
