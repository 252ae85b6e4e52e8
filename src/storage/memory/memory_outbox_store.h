// The outbox's store in memory, for tests and the simulator. The disk is an object of its own, as in
// memory_gateway_store.h: a crash is dropping the stores and opening others on the same disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "env/outbox_store.h"
#include "storage/memory/commit_fault.h"

namespace strife {

struct MemoryOutboxContents {
  std::map<std::uint64_t, OutboxItem> items;
  std::uint64_t last_sequence = 0;
};

// Thread-safe.
class MemoryOutboxDisk {
 public:
  // The `nth` commit from now, 1 being the next, fails with kStorage.
  void FailCommit(std::uint64_t nth, CommitFault fault);
  // Calls `use` with what is durable, nobody else looking. Planting damage this way is allowed.
  void Access(const std::function<void(MemoryOutboxContents&)>& use);

  // For the stores: held from Load to Commit or Release.
  std::mutex& cycle_mutex() { return cycle_mutex_; }
  Status Commit(const OutboxRecords& records);

 private:
  std::mutex cycle_mutex_;
  std::mutex mutex_;
  MemoryOutboxContents contents_;  // guarded by mutex_
  CommitFaultPlan fault_;          // guarded by mutex_
};

std::unique_ptr<OutboxStore> OpenMemoryOutboxStore(std::shared_ptr<MemoryOutboxDisk> disk);
std::unique_ptr<OutboxReader> OpenMemoryOutboxReader(std::shared_ptr<MemoryOutboxDisk> disk);

}  // namespace strife
