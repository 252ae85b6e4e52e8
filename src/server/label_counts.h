// Counters that differ in the value of one label, out of a set that is known beforehand.
#pragma once

#include <deque>
#include <span>
#include <string_view>

#include "base/measure.h"

namespace strife::server {

// Thread-safe. Values outside the set count as "other", so that nothing from outside can make labels.
class LabelCounts {
 public:
  // The texts must outlive it.
  explicit LabelCounts(std::span<const std::string_view> values) {
    for (const std::string_view value : values) counts_.emplace_back(value);
    counts_.emplace_back("other");
  }

  void Add(std::string_view value) {
    for (Entry& entry : counts_) {
      if (entry.value == value || &entry == &counts_.back()) return entry.count.Add();
    }
  }

  // Calls use(std::string_view value, const Counter&) for each.
  template <typename Use>
  void Each(Use use) const {
    for (const Entry& entry : counts_) use(entry.value, entry.count);
  }

 private:
  struct Entry {
    explicit Entry(std::string_view value_in) : value(value_in) {}
    std::string_view value;
    Counter count;
  };
  std::deque<Entry> counts_;  // not a vector: a counter stays where it is
};

}  // namespace strife::server
