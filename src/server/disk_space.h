// DiskSpace: whether a server's disk has too little room for new work (rule 15).
//
// What is left below the reserve is for what has been promised already: votes, decisions, their log and its
// checkpoints.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>

#include "observability/log.h"

namespace strife::server {

class DiskSpace {
 public:
  // `directory` must exist when Look is called.
  DiskSpace(std::filesystem::path directory, std::uint64_t reserved_bytes)
      : directory_(std::move(directory)), reserved_bytes_(reserved_bytes) {}

  // Looks at the disk; writes a line when the answer has changed. For one thread, every second or so.
  void Look(Logger& log);
  // True while less than the reserve is free. Any thread.
  bool low() const { return low_.load(std::memory_order_relaxed); }

 private:
  const std::filesystem::path directory_;
  const std::uint64_t reserved_bytes_;
  std::atomic<bool> low_ = false;
};

}  // namespace strife::server
