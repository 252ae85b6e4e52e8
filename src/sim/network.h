// Network: messages between named processes, which are lost, doubled, late, overtaken, or cut off.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/scenario.h"
#include "sim/world.h"

namespace strife::sim {

struct NetworkCounts {
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;     // by chance
  std::uint64_t cut_off = 0;  // at a partition
  std::uint64_t duplicated = 0;
  std::uint64_t delayed = 0;
};

enum class SendResult { kOnItsWay, kLost, kCutOff };

// Processes are numbered from 0.
class Network {
 public:
  Network(World& world, const Scenario::Network& faults, std::size_t processes)
      : world_(world), faults_(faults), processes_(processes), cuts_(processes * processes, 0) {}

  // `arrive` is called when a copy of the message arrives: not at all, once or twice.
  SendResult Send(std::size_t from, std::size_t to, std::function<void()> arrive);

  // Messages from one to the other are lost until as many heals have followed.
  void Cut(std::size_t from, std::size_t to) { ++cuts_[from * processes_ + to]; }
  void Heal(std::size_t from, std::size_t to);
  bool IsCut(std::size_t from, std::size_t to) const { return cuts_[from * processes_ + to] > 0; }

  void SetFaults(const Scenario::Network& faults) { faults_ = faults; }
  // From now on messages only take their time.
  void StopFaults();

  const NetworkCounts& counts() const { return counts_; }

 private:
  void Deliver(std::function<void()> arrive);

  World& world_;
  Scenario::Network faults_;
  const std::size_t processes_;
  std::vector<int> cuts_;  // by from and to
  NetworkCounts counts_;
};

}  // namespace strife::sim
