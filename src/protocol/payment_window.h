// PaymentWindow: how many more payments may begin, so that they do not all wait for one another at the banks. The
// others wait before they are begun, where they can be taken in turns.
//
// A payment that takes longer than usual no longer counts: its bank is slow or away, and must not hold up payments
// between others (rule 11).
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_set>

#include "base/limits.h"
#include "base/time.h"
#include "base/uuid.h"

namespace strife::protocol {

class PaymentWindow {
 public:
  struct Options {
    std::size_t most = limits::kMaxPaymentsUnderWay;  // at a time; at least 1
    Duration usual = std::chrono::seconds(1);         // after which a payment no longer counts
  };
  struct Room {
    std::size_t count = 0;
    std::optional<MonotonicTime> more_at;  // at the latest, when there is none now
  };

  explicit PaymentWindow(Options options) : options_(options) {}

  // REQUIRES: `now` never goes back.
  void Begun(const Uuid& id, MonotonicTime now) {
    Forget(now);
    counted_.insert(id);
    by_age_.push_back({now + options_.usual, id});
  }

  void Ended(const Uuid& id) { counted_.erase(id); }

  Room RoomAt(MonotonicTime now) {
    Forget(now);
    if (counted_.size() < options_.most) return {options_.most - counted_.size(), std::nullopt};
    return {0, by_age_.front().until};
  }

 private:
  struct Entry {
    MonotonicTime until;
    Uuid id;
  };

  void Forget(MonotonicTime now) {
    while (!by_age_.empty() && (by_age_.front().until <= now || !counted_.contains(by_age_.front().id))) {
      counted_.erase(by_age_.front().id);
      by_age_.pop_front();
    }
  }

  Options options_;
  std::unordered_set<Uuid> counted_;
  std::deque<Entry> by_age_;  // oldest first; of what has ended since, too
};

}  // namespace strife::protocol
