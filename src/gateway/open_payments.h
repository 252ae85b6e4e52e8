// OpenPayments: how many payments are under way, altogether and of each user, so that no users can fill the gateway for
// the others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

namespace strife::gateway {

// Thread-safe.
class OpenPayments {
 public:
  OpenPayments(std::size_t most, std::size_t most_of_user) : most_(most), most_of_user_(most_of_user) {}

  enum class Room { kTaken, kNone, kNoneForUser };

  // Nobody gets more than there is room left for others: one greedy user at most half of all, n of them n parts of n
  // + 1. Only kTaken counts the payment, until End.
  Room Begin(const std::string& user) {
    const std::lock_guard lock(mutex_);
    if (all_ >= most_) return Room::kNone;
    std::size_t& own = of_user_[user];
    if (own >= std::min(most_of_user_, most_ - all_)) return Room::kNoneForUser;
    ++own;
    ++all_;
    return Room::kTaken;
  }

  // REQUIRES: begun and not ended before.
  void End(const std::string& user) {
    const std::lock_guard lock(mutex_);
    --all_;
    const auto own = of_user_.find(user);
    if (--own->second == 0) of_user_.erase(own);
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  const std::size_t most_, most_of_user_;
  mutable std::mutex mutex_;
  std::size_t all_ = 0;
  std::unordered_map<std::string, std::size_t> of_user_;  // none is zero
};

}  // namespace strife::gateway
