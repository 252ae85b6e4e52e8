// FairQueue: first come, first served among one's own, turn by turn among strangers. However much one of them has
// queued, each other one waits only for one item of each.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace strife::runtime {

// Thread-safe. Unbounded: bound what is pushed.
template <typename T>
class FairQueue {
 public:
  void Push(const std::string& owner, T item) {
    const std::lock_guard lock(mutex_);
    std::deque<T>& own = by_owner_[owner];
    if (own.empty()) turns_.push_back(owner);
    own.push_back(std::move(item));
  }

  // nullopt when there is none.
  std::optional<T> Pop() {
    const std::lock_guard lock(mutex_);
    if (turns_.empty()) return std::nullopt;
    const auto own = by_owner_.find(turns_.front());
    std::optional<T> item(std::move(own->second.front()));
    own->second.pop_front();
    if (own->second.empty()) {
      by_owner_.erase(own);
      turns_.pop_front();
    } else {
      turns_.splice(turns_.end(), turns_, turns_.begin());
    }
    return item;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::deque<T>> by_owner_;  // none is empty
  std::list<std::string> turns_;                   // the owners in by_owner_, next one first
};

}  // namespace strife::runtime
