// The outbox's table and the statements on it.
#pragma once

#include "storage/sqlite/database_file.h"

namespace strife::sqlite {

inline constexpr const char* kOutboxMigrations[] = {
    // Version 1. States are protocol::OutboxState and PaymentState; times are microseconds since 1970.
    R"sql(
CREATE TABLE queue (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  payer TEXT NOT NULL,
  from_bank TEXT NOT NULL,
  from_account TEXT NOT NULL,
  to_bank TEXT NOT NULL,
  to_account TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  currency TEXT NOT NULL CHECK (length(currency) = 3),
  memo TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),
  may_have_arrived INTEGER NOT NULL CHECK (may_have_arrived IN (0, 1)),
  attempts INTEGER NOT NULL CHECK (attempts >= 0),
  payment_state INTEGER NOT NULL CHECK (payment_state BETWEEN 1 AND 5),
  reason_code TEXT NOT NULL,
  message TEXT NOT NULL,
  queued_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  expires_at INTEGER,
  told INTEGER NOT NULL CHECK (told IN (0, 1))
) STRICT;
CREATE INDEX queue_waiting ON queue (payer, sequence) WHERE state IN (1, 2);
CREATE INDEX queue_followed ON queue (payer, sequence) WHERE state = 3;
CREATE INDEX queue_open ON queue (sequence) WHERE state NOT IN (4, 6, 7);
CREATE INDEX queue_untold ON queue (payer, sequence) WHERE told = 0 AND state NOT IN (1, 2, 3);
CREATE INDEX queue_of_user ON queue (payer, sequence);
)sql",
    // Version 2: when it was sent. Of what was sent before it is not known.
    "ALTER TABLE queue ADD COLUMN first_sent_at INTEGER; ALTER TABLE queue ADD COLUMN last_sent_at INTEGER",
};

inline constexpr const char* kOutboxSmallTables[] = {"queue"};

inline constexpr Schema kOutboxSchema = {"payment queue", 0x53744f78 /* StOx */, kOutboxMigrations, kOutboxSmallTables,
                                         true};

#define STRIFE_SELECT_ITEM                                                                                     \
  "SELECT sequence, id, payer, from_bank, from_account, to_bank, to_account, amount, currency, memo, state, "  \
  "may_have_arrived, attempts, payment_state, reason_code, message, queued_at, updated_at, expires_at, told, " \
  "first_sent_at, last_sent_at FROM "                                                                          \
  "queue "

inline constexpr char kFindItem[] = STRIFE_SELECT_ITEM "WHERE id = ?1";
inline constexpr char kWaitingItems[] =
    STRIFE_SELECT_ITEM "INDEXED BY queue_waiting WHERE payer = ?1 AND state IN (1, 2) ORDER BY sequence LIMIT ?2";
inline constexpr char kFollowedItems[] =
    STRIFE_SELECT_ITEM "INDEXED BY queue_followed WHERE payer = ?1 AND state = 3 ORDER BY sequence LIMIT ?2";
inline constexpr char kListItems[] =
    STRIFE_SELECT_ITEM "INDEXED BY queue_of_user WHERE payer = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3";
inline constexpr char kUntoldItems[] = STRIFE_SELECT_ITEM
    "INDEXED BY queue_untold WHERE payer = ?1 AND told = 0 AND state NOT IN (1, 2, 3) ORDER BY sequence LIMIT ?2";

// Waiting items of ?1; everybody's open items; the highest sequence ever.
inline constexpr char kCountItems[] =
    "SELECT (SELECT count(*) FROM queue INDEXED BY queue_waiting WHERE payer = ?1 AND state IN (1, 2)), "
    "(SELECT count(*) FROM queue INDEXED BY queue_open WHERE state NOT IN (4, 6, 7)), "
    "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'queue'), 0)";

inline constexpr char kUpdateItem[] =
    "UPDATE queue SET state = ?2, may_have_arrived = ?3, attempts = ?4, payment_state = ?5, reason_code = ?6, "
    "message = ?7, updated_at = ?8, told = ?9, first_sent_at = ?10, last_sent_at = ?11 WHERE sequence = ?1";
inline constexpr char kInsertItem[] =
    "INSERT INTO queue (sequence, state, may_have_arrived, attempts, payment_state, reason_code, message, updated_at, "
    "told, first_sent_at, last_sent_at, id, payer, from_bank, from_account, to_bank, to_account, amount, currency, "
    "memo, "
    "queued_at, expires_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)";
inline constexpr char kRemoveItem[] = "DELETE FROM queue WHERE sequence = ?1";
inline constexpr char kRemoveEndedItems[] =
    "DELETE FROM queue WHERE payer = ?1 AND updated_at < ?2 AND state IN (4, 6, 7)";

#undef STRIFE_SELECT_ITEM

}  // namespace strife::sqlite
