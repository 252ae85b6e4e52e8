// The audit log of a database, read.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "env/audit_log.h"
#include "storage/sqlite/audit_table.h"
#include "storage/sqlite/prepare.h"
#include "storage/sqlite/snapshot.h"

namespace strife::sqlite {

template <typename Connection>
class AuditSnapshotSqlite final : public AuditSnapshot {
 public:
  using Snapshot = ReadSnapshot<Connection>;

  static Result<std::unique_ptr<AuditSnapshot>> Begin(typename Snapshot::Lease lease) {
    auto snapshot = Snapshot::Begin(std::move(lease));
    if (!snapshot) return std::unexpected(std::move(snapshot.error()));
    return std::unique_ptr<AuditSnapshot>(new AuditSnapshotSqlite(std::move(*snapshot)));
  }

  Result<AuditStart> Start() override {
    auto start = One<AuditStart>(kReadAuditStart, &ReadAuditStart);
    if (!start) return std::unexpected(std::move(start.error()));
    if (!*start)
      return Fail(ErrorCode::kMalformed, "the audit log has lost its beginning (table audit_start is empty)");
    return **start;
  }

  Result<std::optional<AuditEntry>> Last() override { return One<AuditEntry>(kLastAudit, &ReadAuditEntry); }

  Result<std::unique_ptr<Cursor<AuditEntry>>> Entries(std::uint64_t after) override {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    auto scan = snapshot_->database().Prepare(kScanAudit);
    if (!scan) return std::unexpected(std::move(scan.error()));
    scan->Bind(1, static_cast<std::int64_t>(std::min(after, kMost)));
    return StatementCursor<Connection, AuditEntry>::Over(snapshot_, std::move(*scan), &ReadAuditEntry);
  }

 private:
  explicit AuditSnapshotSqlite(std::shared_ptr<Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}

  template <typename Record>
  Result<std::optional<Record>> One(const char* sql, Result<Record> (*read)(const Statement&)) {
    auto statement = snapshot_->database().Prepare(sql);
    if (!statement) return std::unexpected(std::move(statement.error()));
    return ReadOne<Record>(*statement, read);
  }

  std::shared_ptr<Snapshot> snapshot_;
};

}  // namespace strife::sqlite
