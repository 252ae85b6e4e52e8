// Deadlines of transactions, soonest first. Entries are never removed early: whoever pops one looks whether it still
// means anything, which is cheaper than keeping a handle to each.
//
// Nearly all come in the order of their times, since they are as far ahead as the one before: those wait in line. Only
// the others need a heap.
#pragma once

#include <deque>
#include <optional>
#include <queue>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"

namespace strife::protocol {

class Deadlines {
 public:
  void Add(MonotonicTime at, const Uuid& id) {
    if (line_.empty() || line_.back().at <= at) {
      line_.push_back({at, id});
    } else {
      heap_.push({at, id});
    }
  }

  std::optional<MonotonicTime> Next() const {
    if (line_.empty() && heap_.empty()) return std::nullopt;
    return HeapIsNext() ? heap_.top().at : line_.front().at;
  }

  // The soonest entry that is due, removed; nullopt when none is.
  std::optional<Uuid> PopDue(MonotonicTime now) {
    const auto next = Next();
    if (!next || *next > now) return std::nullopt;
    if (HeapIsNext()) {
      const Uuid id = heap_.top().id;
      heap_.pop();
      return id;
    }
    const Uuid id = line_.front().id;
    line_.pop_front();
    return id;
  }

 private:
  struct Entry {
    MonotonicTime at;
    Uuid id;
    bool operator>(const Entry& other) const { return at != other.at ? at > other.at : id > other.id; }
  };

  // One of the two has an entry.
  bool HeapIsNext() const { return !heap_.empty() && (line_.empty() || heap_.top().at < line_.front().at); }

  std::deque<Entry> line_;  // ascending
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
};

}  // namespace strife::protocol
