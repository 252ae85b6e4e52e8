#include "storage/sqlite/audit_table.h"

#include <utility>

#include "base/limits.h"
#include "storage/sqlite/prepare.h"
#include "storage/sqlite/row.h"

namespace strife::sqlite {

Result<AuditStart> ReadAuditStart(const Statement& statement) {
  Row row(statement, "audit_start");
  return row.Finish(AuditStart{Uuid{row.Bytes<16>(0)}, row.Unsigned(1)});
}

Result<AuditEntry> ReadAuditEntry(const Statement& statement) {
  Row row(statement, "audit");
  AuditEntry entry;
  entry.sequence = row.Unsigned(0);
  entry.record.at = row.Time(1);
  entry.record.event = static_cast<protocol::AuditEvent>(row.IntegerBetween(2, 1, 0xffff));
  entry.record.count = static_cast<std::uint32_t>(row.IntegerBetween(3, 1, 0xffff'ffff));
  entry.record.actor = row.Text(4);
  entry.record.peer = row.Text(5);
  entry.record.subject = row.Text(6);
  entry.record.detail = row.Text(7);
  entry.hash = row.Bytes<32>(8);
  return row.Finish(std::move(entry));
}

Status AuditTable::Prepare(Database& database) {
  return PrepareAll(database, {{&read_start_, kReadAuditStart}, {&last_, kLastAudit}, {&insert_, kInsertAudit}});
}

Status AuditTable::Open() {
  auto start = ReadOne<AuditStart>(read_start_, &ReadAuditStart);
  if (!start) return std::unexpected(std::move(start.error()));
  if (!*start) {
    return Fail(ErrorCode::kStorage,
                "database " + read_start_.File() +
                    " has lost the beginning of its audit log: keep it aside and restore a backup");
  }
  auto last = ReadOne<AuditEntry>(last_, &ReadAuditEntry);
  if (!last) return std::unexpected(std::move(last.error()));
  chain_ = audit::Chain(**start, *last);
  return {};
}

Status AuditTable::Append(protocol::AuditRecord record) {
  const AuditEntry entry = chain_.Append(std::move(record));
  insert_.Bind(1, static_cast<std::int64_t>(entry.sequence));
  insert_.Bind(2, entry.record.at.time_since_epoch().count());
  insert_.Bind(3, static_cast<std::int64_t>(entry.record.event));
  insert_.Bind(4, std::int64_t{entry.record.count});
  insert_.Bind(5, entry.record.actor);
  insert_.Bind(6, entry.record.peer);
  insert_.Bind(7, entry.record.subject);
  insert_.Bind(8, entry.record.detail);
  insert_.Bind(9, entry.hash);
  return insert_.Run();
}

}  // namespace strife::sqlite
