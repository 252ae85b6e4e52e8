// The audit log's tables, the same in a gateway's and a bank's database, and the one who writes them.
//
// Rows are added at the end and touched by nothing here afterwards. The triggers say the same to everybody else: the
// server's own connections run no triggers, because the file might be hostile (sqlite.h).
#pragma once

#include "audit/chain.h"
#include "env/audit_log.h"
#include "storage/sqlite/sqlite.h"

namespace strife::sqlite {

// SQL of a migration; it has been released and never changes. `decided` is a query, as a literal, for how many
// decisions the database holds already.
#define STRIFE_AUDIT_MIGRATION(decided)                                                         \
  "CREATE TABLE audit_start (\n"                                                                \
  "  one INTEGER PRIMARY KEY CHECK (one = 1),\n"                                                \
  "  log_id BLOB NOT NULL CHECK (length(log_id) = 16),\n"                                       \
  "  decided_before INTEGER NOT NULL CHECK (decided_before >= 0)\n"                             \
  ") STRICT;\n"                                                                                 \
  "INSERT INTO audit_start (one, log_id, decided_before) VALUES (1, randomblob(16), (" decided  \
  "));\n"                                                                                       \
  "\n"                                                                                          \
  "CREATE TABLE audit (\n"                                                                      \
  "  sequence INTEGER PRIMARY KEY CHECK (sequence > 0),\n"                                      \
  "  at INTEGER NOT NULL,\n"                                                                    \
  "  event INTEGER NOT NULL CHECK (event > 0),\n"                                               \
  "  count INTEGER NOT NULL CHECK (count > 0),\n"                                               \
  "  actor TEXT NOT NULL,\n"                                                                    \
  "  peer TEXT NOT NULL,\n"                                                                     \
  "  subject TEXT NOT NULL,\n"                                                                  \
  "  detail TEXT NOT NULL,\n"                                                                   \
  "  hash BLOB NOT NULL CHECK (length(hash) = 32)\n"                                            \
  ") STRICT;\n"                                                                                 \
  "CREATE TRIGGER audit_append BEFORE INSERT ON audit\n"                                        \
  "  WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM audit)\n"                 \
  "  BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;\n" STRIFE_AUDIT_REFUSE(    \
      "audit_update", "UPDATE", "audit") STRIFE_AUDIT_REFUSE("audit_delete", "DELETE", "audit") \
      STRIFE_AUDIT_REFUSE("audit_start_insert", "INSERT", "audit_start")                        \
          STRIFE_AUDIT_REFUSE("audit_start_update", "UPDATE", "audit_start")                    \
              STRIFE_AUDIT_REFUSE("audit_start_delete", "DELETE", "audit_start")
#define STRIFE_AUDIT_REFUSE(name, change, table)        \
  "CREATE TRIGGER " name " BEFORE " change " ON " table \
  "\n"                                                  \
  "  BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;\n"

inline constexpr char kReadAuditStart[] = "SELECT log_id, decided_before FROM audit_start WHERE one = 1";
#define STRIFE_AUDIT_COLUMNS "sequence, at, event, count, actor, peer, subject, detail, hash"
inline constexpr char kScanAudit[] = "SELECT " STRIFE_AUDIT_COLUMNS " FROM audit WHERE sequence > ?1 ORDER BY sequence";
inline constexpr char kLastAudit[] = "SELECT " STRIFE_AUDIT_COLUMNS " FROM audit ORDER BY sequence DESC LIMIT 1";
inline constexpr char kInsertAudit[] =
    "INSERT INTO audit (" STRIFE_AUDIT_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
#undef STRIFE_AUDIT_COLUMNS

// Each expects the columns as selected above, and fails on a malformed row.
Result<AuditStart> ReadAuditStart(const Statement& statement);
Result<AuditEntry> ReadAuditEntry(const Statement& statement);

// Adds to the log within the store's own transactions. For the store's thread.
class AuditTable {
 public:
  // Must be called, once the schema is there, before anything else.
  Status Prepare(Database& database);
  // Finds the end of the log. Inside a transaction that keeps other writers out for good.
  Status Open();
  // One row more. After an error, or when the transaction does not commit, Open must come before the next Append.
  Status Append(protocol::AuditRecord record);

 private:
  Statement read_start_, last_, insert_;
  audit::Chain chain_;
};

}  // namespace strife::sqlite
