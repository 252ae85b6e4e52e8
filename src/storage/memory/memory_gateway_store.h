// The gateway's store in memory, for tests and the simulator.
//
// The disk is an object of its own: a crash is dropping the store and opening another one on the same disk. What was
// committed is there again, the rest is lost; and two stores open on one disk are two gateways, the older one fenced.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "env/gateway_store.h"
#include "storage/memory/commit_fault.h"
#include "storage/memory/memory_audit_log.h"

namespace strife {

struct MemoryGatewayContents {
  std::optional<Uuid> store_id;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::map<Uuid, protocol::PaymentRecord> payments;
  std::map<Uuid, std::string> traces;
  std::map<std::string, protocol::BankRecord> banks;
  std::map<Uuid, SessionRecord> sessions;
  std::map<Sha256, RefreshTokenRecord> refresh_tokens;
  std::map<LoginCounterKey, LoginCounterRecord> login_counters;
  std::map<std::pair<SuspendedKind, std::string>, SuspensionRecord> suspensions;
  MemoryAuditLog audit;
};

// Thread-safe.
class MemoryGatewayDisk {
 public:
  // The `nth` commit from now, 1 being the next, fails with kStorage.
  void FailCommit(std::uint64_t nth, CommitFault fault);
  // Calls `use` with what is durable, nobody else looking. Planting damage this way is allowed.
  void Access(const std::function<void(MemoryGatewayContents&)>& use);

  // For the stores. `epoch` is that of the incarnation that commits.
  Status Commit(std::uint64_t epoch, const GatewayRecords& records);

 private:
  std::mutex mutex_;
  MemoryGatewayContents contents_;  // guarded by mutex_
  CommitFaultPlan fault_;           // guarded by mutex_
};

std::unique_ptr<GatewayStore> OpenMemoryGatewayStore(std::shared_ptr<MemoryGatewayDisk> disk);
// Looks at all payments for a page of history, and copies them for a scan.
std::unique_ptr<GatewayReader> OpenMemoryGatewayReader(std::shared_ptr<MemoryGatewayDisk> disk);

}  // namespace strife
