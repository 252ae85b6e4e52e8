// The audit log as a store keeps it: an append-only chain of records. docs/decisions/0007-audit-log.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "base/sha256.h"
#include "base/uuid.h"
#include "env/cursor.h"
#include "protocol/audit.h"

namespace strife {

// How a log began. The first record's hash covers it, so that a log cannot be exchanged for another one.
struct AuditStart {
  Uuid log_id;  // made with the log
  // Decided payments (at a bank: ended transactions) that were in the store before it kept a log: they have no record.
  std::uint64_t decided_before = 0;

  bool operator==(const AuditStart&) const = default;
};

struct AuditEntry {
  std::uint64_t sequence = 0;  // 1, 2, … without a gap
  protocol::AuditRecord record;
  Sha256 hash{};  // audit::HashOf(hash of the entry before, this entry)

  bool operator==(const AuditEntry&) const = default;
};

// The log as it stood at one moment. For one thread at a time; its cursors may outlive it.
class AuditSnapshot {
 public:
  virtual ~AuditSnapshot() = default;

  virtual Result<AuditStart> Start() = 0;
  // Those with a greater sequence, ascending.
  virtual Result<std::unique_ptr<Cursor<AuditEntry>>> Entries(std::uint64_t after = 0) = 0;
  virtual Result<std::optional<AuditEntry>> Last() = 0;
};

}  // namespace strife
