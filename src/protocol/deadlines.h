// Deadlines of transactions, soonest first. Entries are never removed early: whoever pops one looks whether it still
// means anything, which is cheaper than keeping a handle to each.
#pragma once

#include <optional>
#include <queue>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"

namespace strife::protocol {

class Deadlines {
 public:
  void Add(MonotonicTime at, const Uuid& id) { heap_.push({at, id}); }

  std::optional<MonotonicTime> Next() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.top().at;
  }

  // The soonest entry that is due, removed; nullopt when none is.
  std::optional<Uuid> PopDue(MonotonicTime now) {
    if (heap_.empty() || heap_.top().at > now) return std::nullopt;
    const Uuid id = heap_.top().id;
    heap_.pop();
    return id;
  }

 private:
  struct Entry {
    MonotonicTime at;
    Uuid id;
    bool operator>(const Entry& other) const { return at != other.at ? at > other.at : id > other.id; }
  };
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
};

}  // namespace strife::protocol
