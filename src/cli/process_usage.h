// What processes of this machine have used, as the kernel tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "cli/network.h"

namespace strife::cli {

struct ProcessUsage {
  Duration cpu{};                    // of all its threads, in user and kernel mode, since its start
  std::uint64_t resident_bytes = 0;  // now
  std::uint64_t peak_bytes = 0;      // resident, at most so far
};

// Nullopt when there is no such process.
std::optional<ProcessUsage> ReadUsage(int pid);

// The process of a server: the one its pid file names, else one that was started with its configuration file.
std::optional<int> FindServerProcess(const Network& network, const NetworkServer& server);

// The CPU time and memory of some processes over a stretch of time.
class UsageMeter {
 public:
  struct Row {
    std::string name;
    int pid = 0;
    Duration cpu{};                    // between Begin and End
    std::uint64_t resident_bytes = 0;  // at the end
    std::uint64_t peak_bytes = 0;
  };

  void Add(std::string name, int pid) { rows_.push_back({.name = std::move(name), .pid = pid}); }
  void Begin();
  void End();
  // Those that were there at both ends.
  const std::vector<Row>& rows() const { return rows_; }

 private:
  std::vector<Row> rows_;
};

}  // namespace strife::cli
