// How much of something may be done in a second, with a reserve for bursts.
#pragma once

#include <algorithm>
#include <cmath>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/limits.h"
#include "base/time.h"

namespace strife::rpc {

struct Rate {
  double per_second = 1;
  double burst = 1;
};

// Begins full. For one thread at a time; all calls with the same rate.
class TokenBucket {
 public:
  explicit TokenBucket(const Rate& rate) : tokens_(rate.burst) {}

  // Takes `cost` and returns zero; or takes nothing and returns how long until there is enough.
  // REQUIRES: cost <= rate.burst.
  Duration Take(const Rate& rate, double cost, MonotonicTime now) {
    Fill(rate, now);
    if (tokens_ >= cost) {
      tokens_ -= cost;
      return Duration::zero();
    }
    const double seconds = (cost - tokens_) / rate.per_second;
    return Duration(static_cast<Duration::rep>(std::ceil(seconds * 1e6)));
  }

  // Takes what there is of `cost`.
  void TakeUpTo(const Rate& rate, double cost, MonotonicTime now) {
    Fill(rate, now);
    tokens_ -= std::min(tokens_, cost);
  }

  double Left(const Rate& rate, MonotonicTime now) const {
    if (filled_at_ == MonotonicTime{} || now <= filled_at_) return tokens_;
    const double seconds = std::chrono::duration<double>(now - filled_at_).count();
    return std::min(rate.burst, tokens_ + seconds * rate.per_second);
  }

 private:
  void Fill(const Rate& rate, MonotonicTime now) {
    tokens_ = Left(rate, now);
    filled_at_ = std::max(filled_at_, now);
  }

  double tokens_;
  MonotonicTime filled_at_{};
};

// A bucket for each key. Thread-safe.
class RateLimiter {
 public:
  explicit RateLimiter(Rate rate) : rate_(rate) {}

  // As TokenBucket::Take; a greater cost than a full bucket holds counts as that much.
  Duration Take(const std::string& key, double cost, MonotonicTime now) {
    const std::lock_guard lock(mutex_);
    return BucketOf(key, now).Take(rate_, std::min(cost, rate_.burst), now);
  }

  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return buckets_.size();
  }

 private:
  TokenBucket& BucketOf(const std::string& key, MonotonicTime now) {
    if (const auto found = buckets_.find(key); found != buckets_.end()) return found->second;
    if (buckets_.size() >= limits::kMaxRatedPeers) {
      // A full bucket remembers nothing. When all are in use, they are more than a network has; forgetting is the
      // lesser evil.
      std::erase_if(buckets_, [&](const auto& entry) { return entry.second.Left(rate_, now) >= rate_.burst; });
      if (buckets_.size() >= limits::kMaxRatedPeers) buckets_.clear();
    }
    return buckets_.emplace(key, TokenBucket(rate_)).first->second;
  }

  const Rate rate_;
  std::mutex mutex_;
  std::unordered_map<std::string, TokenBucket> buckets_;  // guarded by mutex_
};

}  // namespace strife::rpc
