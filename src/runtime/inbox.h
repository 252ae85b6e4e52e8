// Inbox: what has arrived for an engine and waits for its next cycle. Bounded; many threads push, one or more drain.
//
// What belongs to work that has begun is taken at once and in order. New work can be pushed with its owner's name: a
// drain takes only so much of that, one item of each owner in turn.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "runtime/fair_queue.h"
#include "runtime/system_clock.h"

namespace strife::runtime {

// When a drain waits for company. While `expected` is above zero more items are sure to come soon, and whoever brings
// the last of them lowers it first: the drain waits until there is `enough` or none is expected, but never longer than
// `patience`. An item counts for one, or for what was said when it was pushed. Having waited in vain it does not wait
// again for twenty times as long, so that who is slow to bring what is expected delays others by a twentieth at most.
struct Gathering {
  const std::atomic<int>* expected = nullptr;  // none: never waits
  std::size_t enough = 0;
  Duration patience{};
};

template <typename T>
class Inbox {
 public:
  explicit Inbox(std::size_t capacity, Gathering gathering = {}) : capacity_(capacity), gathering_(gathering) {}

  // False, and nothing is taken, when the inbox is full or closed.
  [[nodiscard]] bool Push(T& item) {
    std::unique_lock lock(mutex_);
    if (closed_ || Size() >= capacity_) return false;
    items_.push_back(std::move(item));
    Wake(lock);
    return true;
  }

  // As Push, for new work of `owner`.
  [[nodiscard]] bool PushInTurn(const std::string& owner, T& item) {
    std::unique_lock lock(mutex_);
    if (closed_ || Size() >= capacity_) return false;
    new_work_.Push(owner, std::move(item));
    Wake(lock);
    return true;
  }

  // All or none, as Push.
  [[nodiscard]] bool PushAll(std::vector<T>& items) {
    std::unique_lock lock(mutex_);
    if (closed_ || Size() + items.size() > capacity_) return false;
    std::ranges::move(items, std::back_inserter(items_));
    Wake(lock);
    return true;
  }

  // For inputs that must not be lost while the engine lives, such as banks' replies: taken even when full, since their
  // number is bounded by what the engine itself has sent. `worth` is what it counts for when a drain waits for company.
  // False when closed.
  [[nodiscard]] bool PushAlways(T item, std::size_t worth = 1) {
    std::unique_lock lock(mutex_);
    if (closed_) return false;
    items_.push_back(std::move(item));
    further_worth_ += worth - 1;
    Wake(lock);
    return true;
  }

  // Waits until there is something to take, the deadline has come, or the inbox is closed; takes at most `max` items
  // and, after them, `max_new` of new work; when closed, all of it. With a Gathering or new work, one thread drains.
  std::vector<T> Drain(std::size_t max, std::optional<MonotonicTime> deadline, std::size_t max_new = SIZE_MAX) {
    std::unique_lock lock(mutex_);
    max_new_ = max_new;
    Wait(lock, deadline);
    if (Takeable() > 0) Gather(lock);
    const std::size_t count_new = TakeableNew();
    std::vector<T> taken = Take(max);
    further_worth_ = 0;
    for (std::size_t i = 0; i < count_new; ++i) taken.push_back(*new_work_.Pop());
    return taken;
  }

  // Nothing more gets in; what is in can still be drained.
  void Close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  bool closed() const {
    std::unique_lock lock(mutex_);
    return closed_;
  }

  // Whether everything has been drained and nothing more can come.
  bool ended() const {
    std::unique_lock lock(mutex_);
    return closed_ && Size() == 0;
  }

  std::size_t size() const {
    std::unique_lock lock(mutex_);
    return Size();
  }

 private:
  std::size_t Size() const { return items_.size() + new_work_.size(); }
  std::size_t TakeableNew() const { return closed_ ? new_work_.size() : std::min(max_new_, new_work_.size()); }
  std::size_t Takeable() const { return items_.size() + TakeableNew(); }

  std::vector<T> Take(std::size_t max) {
    if (items_.size() <= max) return std::exchange(items_, {});
    const auto end = items_.begin() + static_cast<std::ptrdiff_t>(max);
    std::vector<T> taken(std::make_move_iterator(items_.begin()), std::make_move_iterator(end));
    items_.erase(items_.begin(), end);
    return taken;
  }

  void Wait(std::unique_lock<std::mutex>& lock, std::optional<MonotonicTime> deadline) {
    const auto ready = [&] { return closed_ || Takeable() > 0; };
    ++waiting_;
    if (deadline) {
      changed_.wait_until(lock, ToSteady(*deadline), ready);
    } else {
      changed_.wait(lock, ready);
    }
    --waiting_;
  }

  bool Complete() const {
    return closed_ || Takeable() + further_worth_ >= gathering_.enough ||
           gathering_.expected->load(std::memory_order_relaxed) == 0;
  }

  void Gather(std::unique_lock<std::mutex>& lock) {
    if (gathering_.expected == nullptr || Complete()) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < gather_from_) return;
    gathers_ = true;
    ++waiting_;
    const bool complete = changed_.wait_until(lock, now + gathering_.patience, [this] { return Complete(); });
    --waiting_;
    gathers_ = false;
    if (!complete) gather_from_ = now + 20 * gathering_.patience;
  }

  // Waking a thread costs a system call: only when somebody waits, and for this.
  void Wake(std::unique_lock<std::mutex>& lock) {
    const bool wake = waiting_ > 0 && (gathers_ ? Complete() : closed_ || Takeable() > 0);
    lock.unlock();
    if (wake) changed_.notify_one();
  }

  const std::size_t capacity_;
  const Gathering gathering_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> items_;
  FairQueue<T> new_work_;
  std::size_t further_worth_ = 0;   // of items_ pushed since the last drain, beyond their number
  std::size_t max_new_ = SIZE_MAX;  // for whoever drains
  std::size_t waiting_ = 0;         // threads that wait
  bool gathers_ = false;            // what waits has something and waits for more
  std::chrono::steady_clock::time_point gather_from_{};
  bool closed_ = false;
};

}  // namespace strife::runtime
