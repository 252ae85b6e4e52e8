// A bank's tables and the statements on them, in one place so that the tests can ask SQLite how it would run them.
#pragma once

#include "storage/sqlite/audit_table.h"
#include "storage/sqlite/database_file.h"

namespace strife::sqlite {

inline constexpr const char* kBankMigrations[] = {
    // Version 1. Kinds, states and statuses are the enumerations of protocol/types.h; times are microseconds since
    // 1970.
    // The checks on accounts are the last line of defence for the money: whatever the program thinks, SQLite refuses an
    // overdrawn customer. `totals` is the running sum of the entries, so that asking for it reads no history.
    R"sql(
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  bank_id TEXT NOT NULL,
  gateway_store_id BLOB CHECK (length(gateway_store_id) = 16),
  gateway_sequence INTEGER NOT NULL CHECK (gateway_sequence >= 0)
) STRICT;

CREATE TABLE transactions (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 3),
  state INTEGER NOT NULL CHECK (state BETWEEN 2 AND 4),
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  gateway_store_id BLOB NOT NULL CHECK (length(gateway_store_id) = 16),
  debit_account TEXT NOT NULL,
  credit_account TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  currency TEXT NOT NULL,
  reason_code TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK (state = 4 OR (amount > 0 AND (debit_account <> '' OR credit_account <> '')))
) STRICT, WITHOUT ROWID;
CREATE INDEX transactions_prepared ON transactions (id) WHERE state = 2;

CREATE TABLE accounts (
  account_id TEXT PRIMARY KEY,
  kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4),
  status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 3),
  currency TEXT NOT NULL,
  posted INTEGER NOT NULL,
  held INTEGER NOT NULL CHECK (held >= 0),
  incoming INTEGER NOT NULL CHECK (incoming >= 0),
  CHECK (kind <> 1 OR posted - held >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
  transaction_id BLOB NOT NULL CHECK (length(transaction_id) = 16),
  line INTEGER NOT NULL CHECK (line BETWEEN 0 AND 255),
  account_id TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount <> 0),
  currency TEXT NOT NULL,
  posted_at INTEGER NOT NULL,
  PRIMARY KEY (transaction_id, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE totals (
  currency TEXT PRIMARY KEY,
  debits INTEGER NOT NULL CHECK (debits >= 0),
  credits INTEGER NOT NULL CHECK (credits >= 0)
) STRICT, WITHOUT ROWID;
)sql",
    // Version 2: what operators have decided in the gateway's place. States are protocol::HeuristicState, decisions
    // protocol::Decision; times that have not come are 0.
    R"sql(
CREATE TABLE heuristics (
  transaction_id BLOB PRIMARY KEY CHECK (length(transaction_id) = 16),
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
  decision INTEGER NOT NULL CHECK (decision BETWEEN 1 AND 2),
  proposed_by TEXT NOT NULL CHECK (proposed_by <> ''),
  proposed_at INTEGER NOT NULL,
  confirmed_by TEXT NOT NULL CHECK (confirmed_by <> proposed_by),
  forced_at INTEGER NOT NULL,
  decided_at INTEGER NOT NULL,
  acknowledged_by TEXT NOT NULL,
  acknowledged_at INTEGER NOT NULL,
  CHECK (state = 1 OR confirmed_by <> ''),
  CHECK (state <> 5 OR acknowledged_by <> '')
) STRICT, WITHOUT ROWID;
)sql",
    // Version 3: the audit log.
    STRIFE_AUDIT_MIGRATION("SELECT count(*) FROM transactions WHERE state <> 2"),
    // Version 4: the way of each transaction: protocol::Trace. Of those from before there is none.
    "ALTER TABLE transactions ADD COLUMN trace BLOB NOT NULL DEFAULT x''",
};

// Of version 1: they are checked before the migrations.
inline constexpr const char* kBankSmallTables[] = {"meta", "totals"};

inline constexpr Schema kBankSchema = {"bank database", 0x5374426b /* StBk */, kBankMigrations, kBankSmallTables};

#define STRIFE_TRANSACTION_COLUMNS                                                                           \
  "id, kind, state, epoch, gateway_store_id, debit_account, credit_account, amount, currency, reason_code, " \
  "created_at, updated_at"
#define STRIFE_ACCOUNT_COLUMNS "account_id, kind, status, currency, posted, held, incoming"
#define STRIFE_HEURISTIC_COLUMNS                                                                     \
  "transaction_id, state, decision, proposed_by, proposed_at, confirmed_by, forced_at, decided_at, " \
  "acknowledged_by, acknowledged_at"
#define STRIFE_ENTRY_COLUMNS "transaction_id, line, account_id, amount, currency, posted_at"

inline constexpr char kFindTransaction[] = "SELECT " STRIFE_TRANSACTION_COLUMNS " FROM transactions WHERE id = ?1";
inline constexpr char kFindTransactionTrace[] = "SELECT id, trace FROM transactions WHERE id = ?1";
// The index holds nothing but the prepared transactions.
inline constexpr char kPreparedTransactions[] = "SELECT " STRIFE_TRANSACTION_COLUMNS
                                                " FROM transactions INDEXED BY transactions_prepared WHERE state = 2 "
                                                "ORDER BY id";
inline constexpr char kForcedTransactions[] = "SELECT " STRIFE_TRANSACTION_COLUMNS
                                              " FROM transactions WHERE id IN (SELECT transaction_id FROM heuristics "
                                              "WHERE state = 2)";
inline constexpr char kScanHeuristics[] = "SELECT " STRIFE_HEURISTIC_COLUMNS " FROM heuristics ORDER BY transaction_id";
inline constexpr char kLiveHeuristics[] =
    "SELECT " STRIFE_HEURISTIC_COLUMNS " FROM heuristics WHERE state <> 3 ORDER BY transaction_id";
inline constexpr char kScanTransactions[] = "SELECT " STRIFE_TRANSACTION_COLUMNS " FROM transactions ORDER BY id";
inline constexpr char kFindAccount[] = "SELECT " STRIFE_ACCOUNT_COLUMNS " FROM accounts WHERE account_id = ?1";
inline constexpr char kScanAccounts[] = "SELECT " STRIFE_ACCOUNT_COLUMNS " FROM accounts ORDER BY account_id";
inline constexpr char kScanEntries[] = "SELECT " STRIFE_ENTRY_COLUMNS " FROM entries ORDER BY transaction_id, line";
inline constexpr char kReadTotals[] = "SELECT currency, debits, credits FROM totals ORDER BY currency";

inline constexpr char kUpdateTransaction[] =
    "UPDATE transactions SET state = ?2, epoch = ?3, reason_code = ?4, updated_at = ?5, trace = coalesce(?6, trace) "
    "WHERE id = ?1";
inline constexpr char kInsertTransaction[] =
    "INSERT INTO transactions (" STRIFE_TRANSACTION_COLUMNS
    ", trace) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, coalesce(?13, x'')) "
    "ON CONFLICT (id) DO UPDATE SET state = excluded.state, epoch = excluded.epoch, "
    "reason_code = excluded.reason_code, updated_at = excluded.updated_at, trace = coalesce(?13, trace)";
inline constexpr char kUpdateAccount[] =
    "UPDATE accounts SET status = ?2, posted = ?3, held = ?4, incoming = ?5 WHERE account_id = ?1";
inline constexpr char kInsertAccount[] =
    "INSERT INTO accounts (" STRIFE_ACCOUNT_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
inline constexpr char kInsertEntry[] = "INSERT INTO entries (" STRIFE_ENTRY_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
inline constexpr char kPutHeuristic[] =
    "INSERT OR REPLACE INTO heuristics (" STRIFE_HEURISTIC_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
// Stays at the largest value instead of overflowing: these are for display.
inline constexpr char kAddToTotals[] =
    "INSERT INTO totals (currency, debits, credits) VALUES (?1, ?2, ?3) ON CONFLICT (currency) DO UPDATE SET "
    "debits = min(debits, 9223372036854775807 - excluded.debits) + excluded.debits, "
    "credits = min(credits, 9223372036854775807 - excluded.credits) + excluded.credits";

inline constexpr char kReadBankMeta[] = "SELECT bank_id, gateway_store_id, gateway_sequence FROM meta WHERE one = 1";
inline constexpr char kInsertBankMeta[] = "INSERT INTO meta (one, bank_id, gateway_sequence) VALUES (1, ?1, 0)";
inline constexpr char kUpdateGatewaySeen[] =
    "UPDATE meta SET gateway_store_id = ?1, gateway_sequence = ?2 WHERE one = 1";

#undef STRIFE_TRANSACTION_COLUMNS
#undef STRIFE_ACCOUNT_COLUMNS
#undef STRIFE_ENTRY_COLUMNS
#undef STRIFE_HEURISTIC_COLUMNS

}  // namespace strife::sqlite
