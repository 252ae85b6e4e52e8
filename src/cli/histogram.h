// Histogram of latencies: log-linear buckets, 64 to each power of two, so any percentile is right within 1.6 percent.
// Fixed size, no allocation per value.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace strife::cli {

class Histogram {
 public:
  void Add(Duration value) {
    std::uint64_t us = value.count() < 0 ? 0 : static_cast<std::uint64_t>(value.count());
    ++buckets_[BucketOf(us)];
    ++count_;
    if (us > max_us_) max_us_ = us;
  }

  void Merge(const Histogram& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    if (other.max_us_ > max_us_) max_us_ = other.max_us_;
  }

  std::uint64_t count() const { return count_; }
  Duration max() const { return Duration(max_us_); }

  // The smallest value that at least `share` (0 to 1) of all values do not exceed; the upper end of its bucket.
  Duration Percentile(double share) const {
    auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_) + 0.999999);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen >= wanted && seen > 0) return Duration(UpperEnd(i) < max_us_ ? UpperEnd(i) : max_us_);
    }
    return max();
  }

 private:
  static constexpr unsigned kSubBits = 6;
  static constexpr std::size_t kSub = std::size_t{1} << kSubBits;
  static constexpr std::size_t kBuckets = kSub * 36;  // up to 2^41 µs

  static std::size_t BucketOf(std::uint64_t us) {
    if (us < kSub) return us;
    auto shift = static_cast<unsigned>(std::bit_width(us)) - kSubBits - 1;
    std::size_t index = (shift + 1) * kSub + ((us >> shift) - kSub);
    return index < kBuckets ? index : kBuckets - 1;
  }

  static std::uint64_t UpperEnd(std::size_t bucket) {
    if (bucket < kSub) return bucket;
    std::size_t shift = bucket / kSub - 1;
    return ((bucket % kSub + kSub + 1) << shift) - 1;
  }

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_us_ = 0;
};

}  // namespace strife::cli
