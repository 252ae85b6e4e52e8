// World: simulated time and chance. Everything that happens is an event in one queue; a seed says which and when.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "sim/trace.h"

namespace strife::sim {

using Event = std::move_only_function<void()>;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  // Since the beginning.
  Duration now() const { return now_; }
  Random& random() { return random_; }
  Trace& trace() { return trace_; }
  const Trace& trace() const { return trace_; }

  // Events of one moment happen in the order in which they were added.
  void After(Duration delay, Event event) {
    STRIFE_ASSERT(delay >= Duration(0));
    queue_.push_back({now_ + delay, ++added_, std::move(event)});
    std::ranges::push_heap(queue_, Later);
  }

  // Runs events until `end` or until `done`, which is asked after each event.
  template <typename Done>
  void RunUntil(Duration end, const Done& done) {
    while (!queue_.empty() && queue_.front().at <= end) {
      std::ranges::pop_heap(queue_, Later);
      Entry next = std::move(queue_.back());
      queue_.pop_back();
      now_ = next.at;
      trace_.Mix(static_cast<std::uint64_t>(next.at.count()) ^ next.number << 40);
      ++events_;
      next.event();
      if (done()) return;
    }
    now_ = std::max(now_, end);
  }

  std::uint64_t events() const { return events_; }

 private:
  struct Entry {
    Duration at;
    std::uint64_t number;
    Event event;
  };
  static bool Later(const Entry& a, const Entry& b) { return a.at != b.at ? a.at > b.at : a.number > b.number; }

  Random random_;
  Trace trace_;
  Duration now_{};
  std::uint64_t added_ = 0;
  std::uint64_t events_ = 0;
  std::vector<Entry> queue_;  // a heap
};

}  // namespace strife::sim
