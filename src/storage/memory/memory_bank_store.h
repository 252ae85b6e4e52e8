// A bank's store in memory, for tests and the simulator. Disk and store are two objects, as in memory_gateway_store.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "env/bank_store.h"
#include "storage/memory/commit_fault.h"
#include "storage/memory/memory_audit_log.h"

namespace strife {

struct MemoryBankContents {
  std::optional<std::string> bank_id;
  std::optional<GatewaySeen> gateway_seen;
  std::map<Uuid, protocol::BankTransactionRecord> transactions;
  std::map<Uuid, std::string> traces;
  std::map<std::string, protocol::AccountRecord> accounts;
  std::map<std::pair<Uuid, std::uint8_t>, protocol::EntryRecord> entries;
  std::map<Uuid, protocol::HeuristicRecord> heuristics;
  MemoryAuditLog audit;
};

// Thread-safe.
class MemoryBankDisk {
 public:
  // The `nth` commit from now, 1 being the next, fails with kStorage.
  void FailCommit(std::uint64_t nth, CommitFault fault);
  // Calls `use` with what is durable, nobody else looking. Planting damage this way is allowed.
  void Access(const std::function<void(MemoryBankContents&)>& use);

  // For the stores.
  Status Commit(const BankRecords& records);

 private:
  Status Check(const BankRecords& records) const;

  std::mutex mutex_;
  MemoryBankContents contents_;  // guarded by mutex_
  CommitFaultPlan fault_;        // guarded by mutex_
};

std::unique_ptr<BankStore> OpenMemoryBankStore(std::shared_ptr<MemoryBankDisk> disk);
// Copies everything for a snapshot.
std::unique_ptr<BankReader> OpenMemoryBankReader(std::shared_ptr<MemoryBankDisk> disk);

}  // namespace strife
