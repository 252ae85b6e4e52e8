// Storage that fails: what a disk does to the commits of the process that uses it.
//
// The memory stores keep what is durable; these stand in front of them. A commit takes time, may find the disk full,
// may fail in its write or fsync with the batch there or not (a torn tail is one of the two after recovery: the last
// batch is gone or complete), and its process may die right before or after it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "env/bank_store.h"
#include "env/gateway_store.h"
#include "env/outbox_store.h"
#include "sim/process.h"
#include "sim/scenario.h"

namespace strife::sim {

struct DiskCounts {
  std::uint64_t commits = 0;
  std::uint64_t failed = 0;   // write or fsync
  std::uint64_t refused = 0;  // full
  std::uint64_t slow = 0;
};

enum class Space : std::uint8_t { kEnough, kLow, kNone };

// One machine's disk, shared by the gateways of one store.
class Disk {
 public:
  Disk(World& world, const Scenario::Storage& faults) : world_(world), faults_(faults) {}

  // How long the next commit will take.
  Duration CommitTime();
  void SetSpace(Space space) { space_ = space; }
  // Servers look at it and take no new work then (rule 15).
  bool low() const { return space_ != Space::kEnough; }
  void StopFaults();
  const DiskCounts& counts() const { return counts_; }

  // Lets `commit` happen to the store, or what else the disk and the process's fate make of it.
  template <typename Commit>
  Status Write(Process& process, const Commit& commit);

 private:
  World& world_;
  Scenario::Storage faults_;
  Space space_ = Space::kEnough;
  DiskCounts counts_;
};

template <typename Commit>
Status Disk::Write(Process& process, const Commit& commit) {
  if (space_ == Space::kNone) {
    ++counts_.refused;
    return Fail(ErrorCode::kStorage, "the disk is full: free some space and restart");
  }
  if (process.At(EffectKind::kCommitBegins) == Fate::kCrash) {
    return Fail(ErrorCode::kStorage, "killed before the commit: restart");
  }
  const bool fails = world_.random().Chance(faults_.fail);
  if (fails) ++counts_.failed;
  if (fails && world_.random().Chance(500)) return Fail(ErrorCode::kStorage, "the write failed: restart");
  if (Status committed = commit(); !committed) return committed;
  ++counts_.commits;
  if (process.At(EffectKind::kCommitDurable) == Fate::kCrash) {
    return Fail(ErrorCode::kStorage, "killed after the commit: restart");
  }
  if (fails) return Fail(ErrorCode::kStorage, "the fsync failed: restart");
  return {};
}

// `durable` is told what has just become durable.
std::unique_ptr<GatewayStore> OnDisk(std::unique_ptr<GatewayStore> store, Disk& disk, Process& process,
                                     std::function<void(const GatewayRecords&)> durable);
std::unique_ptr<BankStore> OnDisk(std::unique_ptr<BankStore> store, Disk& disk, Process& process,
                                  std::function<void(const BankRecords&)> durable);
std::unique_ptr<OutboxStore> OnDisk(std::unique_ptr<OutboxStore> store, Disk& disk, Process& process,
                                    std::function<void(const OutboxRecords&)> durable);

}  // namespace strife::sim
