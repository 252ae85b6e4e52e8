// FairQueue: first come, first served among one's own, turn by turn among strangers. However much one of them has
// queued, each other one waits only for one item of each.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace strife::runtime {

// Not thread-safe. Unbounded: bound what is pushed.
template <typename T>
class FairQueue {
 public:
  void Push(const std::string& owner, T item) {
    const auto [own, new_owner] = by_owner_.try_emplace(owner);
    if (new_owner) turns_.push_back(own);
    own->second.push_back(std::move(item));
    ++size_;
  }

  // nullopt when there is none.
  std::optional<T> Pop() {
    if (turns_.empty()) return std::nullopt;
    const auto own = turns_.front();
    std::optional<T> item(std::move(own->second.front()));
    own->second.pop_front();
    --size_;
    if (own->second.empty()) {
      turns_.pop_front();
      by_owner_.erase(own);
    } else {
      turns_.splice(turns_.end(), turns_, turns_.begin());
    }
    return item;
  }

  std::size_t size() const { return size_; }

 private:
  using ByOwner = std::map<std::string, std::deque<T>>;
  ByOwner by_owner_;                             // none is empty
  std::list<typename ByOwner::iterator> turns_;  // into by_owner_, next one first
  std::size_t size_ = 0;
};

}  // namespace strife::runtime
