// What is wrong with an audit log, as far as it can be told from the log, its store and the heads kept elsewhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace strife::audit {

struct Finding {
  std::uint64_t sequence = 0;  // of the record at fault; 0: the log as a whole
  std::string what;            // one sentence

  bool operator==(const Finding&) const = default;
};

// All are counted, the first kMaxListed kept.
class Findings {
 public:
  static constexpr std::size_t kMaxListed = 1000;

  void Add(std::uint64_t sequence, std::string what) {
    ++count_;
    if (listed_.size() < kMaxListed) listed_.push_back({sequence, std::move(what)});
  }
  std::uint64_t count() const { return count_; }
  // By sequence, those about the whole log last.
  std::vector<Finding> Sorted() && {
    std::ranges::stable_sort(listed_, {}, [](const Finding& finding) { return finding.sequence - 1; });
    return std::move(listed_);
  }

 private:
  std::uint64_t count_ = 0;
  std::vector<Finding> listed_;
};

}  // namespace strife::audit
