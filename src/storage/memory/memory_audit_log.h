// The audit log of a memory disk.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "audit/chain.h"
#include "env/audit_log.h"
#include "storage/memory/vector_cursor.h"

namespace strife {

struct MemoryAuditLog {
  AuditStart start;
  std::vector<AuditEntry> entries;

  // One record more. The chain's end is looked up each time, so that damage may be planted in between.
  void Append(protocol::AuditRecord record) {
    const std::optional<AuditEntry> last = entries.empty() ? std::nullopt : std::optional(entries.back());
    entries.push_back(audit::Chain(start, last).Append(std::move(record)));
  }
};

class MemoryAuditSnapshot final : public AuditSnapshot {
 public:
  explicit MemoryAuditSnapshot(MemoryAuditLog log) : log_(std::move(log)) {}

  Result<AuditStart> Start() override { return log_.start; }
  Result<std::unique_ptr<Cursor<AuditEntry>>> Entries(std::uint64_t after) override {
    std::vector<AuditEntry> entries;
    std::ranges::copy_if(log_.entries, std::back_inserter(entries),
                         [&](const AuditEntry& entry) { return entry.sequence > after; });
    return std::make_unique<VectorCursor<AuditEntry>>(std::move(entries));
  }
  Result<std::optional<AuditEntry>> Last() override {
    if (log_.entries.empty()) return std::nullopt;
    return log_.entries.back();
  }

 private:
  const MemoryAuditLog log_;
};

}  // namespace strife
