// What is open, and since when the oldest of it: payments without an outcome at the gateway, holds at a bank.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "base/time.h"
#include "base/uuid.h"

namespace strife::server {

// Open and Close for one thread; what is known may be read from any.
class OpenAges {
 public:
  // Again for the same is fine. `since` is told again with Close.
  void Open(const Uuid& id, WallTime since) {
    open_.emplace_hint(open_.end(), since, id);  // it is mostly the newest
    Publish();
  }
  void Close(const Uuid& id, WallTime since) {
    if (open_.erase({since, id}) > 0) Publish();
  }

  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  // How long the oldest has been open, in seconds; 0 when nothing is.
  double OldestAge(WallTime now) const {
    const std::int64_t oldest = oldest_us_.load(std::memory_order_relaxed);
    if (oldest == kNothing) return 0;
    const std::int64_t age = now.time_since_epoch().count() - oldest;
    return age > 0 ? static_cast<double>(age) / 1e6 : 0;
  }

 private:
  static constexpr std::int64_t kNothing = -1;

  void Publish() {
    count_.store(open_.size(), std::memory_order_relaxed);
    oldest_us_.store(open_.empty() ? kNothing : open_.begin()->first.time_since_epoch().count(),
                     std::memory_order_relaxed);
  }

  std::set<std::pair<WallTime, Uuid>> open_;
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::int64_t> oldest_us_{kNothing};
};

}  // namespace strife::server
