// How a commit of a memory store can be made to fail.
#pragma once

#include <cstdint>

namespace strife {

enum class CommitFault {
  kBeforeEffect,  // nothing is written
  kAfterEffect,   // everything is durable, but the process never learns it
};

// Counts down to the commit that fails. Part of the memory "disks".
class CommitFaultPlan {
 public:
  // The `nth` commit from now fails once, 1 being the next.
  void Set(std::uint64_t nth, CommitFault fault) {
    remaining_ = nth;
    fault_ = fault;
  }
  // To be called once for each commit: whether this is the one.
  bool Due() { return remaining_ > 0 && --remaining_ == 0; }
  CommitFault fault() const { return fault_; }

 private:
  std::uint64_t remaining_ = 0;
  CommitFault fault_ = CommitFault::kBeforeEffect;
};

}  // namespace strife
