// The gateway's tables and the statements on them, in one place so that the tests can ask SQLite how it would run them.
#pragma once

#include "storage/sqlite/audit_table.h"
#include "storage/sqlite/database_file.h"

namespace strife::sqlite {

inline constexpr const char* kGatewayMigrations[] = {
    // Version 1. States are protocol::PaymentState; times are microseconds since 1970.
    R"sql(
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  store_id BLOB NOT NULL CHECK (length(store_id) = 16),
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  sequence INTEGER NOT NULL CHECK (sequence >= 0)
) STRICT;

CREATE TABLE payments (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  payer TEXT NOT NULL,
  from_bank TEXT NOT NULL,
  from_account TEXT NOT NULL,
  to_bank TEXT NOT NULL,
  to_account TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  currency TEXT NOT NULL,
  memo TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
  reason_code TEXT NOT NULL,
  message TEXT NOT NULL,
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_history ON payments (payer, created_at DESC, id DESC);
CREATE INDEX payments_aborted ON payments (payer, created_at DESC, id DESC) WHERE state = 4;
CREATE INDEX payments_open ON payments (payer, created_at DESC, id DESC) WHERE state <> 3 AND state <> 4;

CREATE TABLE banks (
  bank_id TEXT PRIMARY KEY,
  display_name TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  currencies TEXT NOT NULL,
  capabilities TEXT NOT NULL,
  registered_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  session_id BLOB PRIMARY KEY CHECK (length(session_id) = 16),
  username TEXT NOT NULL,
  certificate_thumbprint BLOB NOT NULL CHECK (length(certificate_thumbprint) = 32),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE refresh_tokens (
  token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
  session_id BLOB NOT NULL CHECK (length(session_id) = 16),
  expires_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT, WITHOUT ROWID;
)sql",
    // Failed logins; scopes are LoginScope. Sessions from before have no credential, and end at their next refresh.
    R"sql(
CREATE TABLE login_counters (
  scope INTEGER NOT NULL CHECK (scope BETWEEN 1 AND 4),
  subject TEXT NOT NULL,
  failures INTEGER NOT NULL CHECK (failures >= 0),
  counted_at INTEGER NOT NULL,
  blocked_until INTEGER,
  succeeded_at INTEGER,
  forget_at INTEGER NOT NULL,
  PRIMARY KEY (scope, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX login_counters_forgotten ON login_counters (forget_at);
ALTER TABLE sessions ADD COLUMN credential BLOB NOT NULL
  DEFAULT x'0000000000000000000000000000000000000000000000000000000000000000' CHECK (length(credential) = 32);
)sql",
    // The audit log.
    STRIFE_AUDIT_MIGRATION("SELECT count(*) FROM payments WHERE state <> 1"),
    // What operators look for and what they suspend; kinds are SuspendedKind.
    R"sql(
CREATE INDEX payments_newest ON payments (created_at DESC, id DESC);
CREATE INDEX sessions_live ON sessions (expires_at DESC, session_id DESC) WHERE revoked_at IS NULL;
CREATE INDEX sessions_of_user ON sessions (username, expires_at DESC, session_id DESC) WHERE revoked_at IS NULL;
CREATE TABLE suspensions (
  kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 2),
  name TEXT NOT NULL,
  suspended_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
)sql",
    // The way of each payment: protocol::Trace. Of those from before there is none.
    "ALTER TABLE payments ADD COLUMN trace BLOB NOT NULL DEFAULT x''",
    // Which refresh tokens a session has left behind. Before, a session had one unused token and all others were
    // behind.
    R"sql(
ALTER TABLE sessions ADD COLUMN generation INTEGER NOT NULL DEFAULT 1 CHECK (generation >= 0);
ALTER TABLE refresh_tokens ADD COLUMN generation INTEGER NOT NULL DEFAULT 0 CHECK (generation >= 0);
UPDATE refresh_tokens SET generation = 2 WHERE used_at IS NULL;
)sql",
    // Which refresh tokens and sessions have expired.
    R"sql(
CREATE INDEX refresh_tokens_expired ON refresh_tokens (expires_at);
CREATE INDEX sessions_expired ON sessions (expires_at);
)sql",
    // Banks that have seen more of this store than it holds.
    "ALTER TABLE banks ADD COLUMN ahead INTEGER NOT NULL DEFAULT 0 CHECK (ahead >= 0)",
};

inline constexpr const char* kGatewaySmallTables[] = {"meta", "banks"};

inline constexpr Schema kGatewaySchema = {"gateway database", 0x53744777 /* StGw */, kGatewayMigrations,
                                          kGatewaySmallTables};

#define STRIFE_PAYMENT_COLUMNS                                                                            \
  "id, payer, from_bank, from_account, to_bank, to_account, amount, currency, memo, state, reason_code, " \
  "message, epoch, created_at, updated_at"
#define STRIFE_SELECT_PAYMENT "SELECT " STRIFE_PAYMENT_COLUMNS " FROM payments "

inline constexpr char kFindPayment[] = STRIFE_SELECT_PAYMENT "WHERE id = ?1";
inline constexpr char kFindPaymentTrace[] = "SELECT id, trace FROM payments WHERE id = ?1";
inline constexpr char kCountPayments[] = "SELECT count(*) FROM payments";
inline constexpr char kScanPayments[] = STRIFE_SELECT_PAYMENT "ORDER BY id";
// The index holds nothing but the open payments, so walking all of it is the cheapest way.
inline constexpr char kOpenPayments[] = STRIFE_SELECT_PAYMENT
    "INDEXED BY payments_open WHERE state <> 3 AND state <> 4 ORDER BY payer, created_at DESC, id DESC";

// One for each way of filtering. ?1 payer, (?2, ?3) the position before which the page starts, ?4 since, ?5 rows, ?6
// state.
#define STRIFE_PAGE \
  "payer = ?1 AND (created_at, id) < (?2, ?3) AND created_at >= ?4 ORDER BY created_at DESC, id DESC LIMIT ?5"
inline constexpr char kHistory[] = STRIFE_SELECT_PAYMENT "INDEXED BY payments_history WHERE " STRIFE_PAGE;
inline constexpr char kHistoryCompleted[] =
    STRIFE_SELECT_PAYMENT "INDEXED BY payments_history WHERE state = 3 AND " STRIFE_PAGE;
inline constexpr char kHistoryAborted[] =
    STRIFE_SELECT_PAYMENT "INDEXED BY payments_aborted WHERE state = 4 AND " STRIFE_PAGE;
inline constexpr char kHistoryOpen[] =
    STRIFE_SELECT_PAYMENT "INDEXED BY payments_open WHERE state <> 3 AND state <> 4 AND state = ?6 AND " STRIFE_PAGE;
#undef STRIFE_PAGE

// Over everybody's payments, as far as the caller steps. ?1 and ?2 the position before which to start, ?3 since.
inline constexpr char kNewestPayments[] = STRIFE_SELECT_PAYMENT
    "INDEXED BY payments_newest WHERE (created_at, id) < (?1, ?2) AND created_at >= ?3 "
    "ORDER BY created_at DESC, id DESC";

inline constexpr char kBanks[] =
    "SELECT bank_id, display_name, endpoint, currencies, capabilities, registered_at, ahead FROM banks "
    "ORDER BY bank_id";
#define STRIFE_SELECT_SESSION                                                                                        \
  "SELECT session_id, username, certificate_thumbprint, created_at, expires_at, revoked_at, credential, generation " \
  "FROM sessions "
inline constexpr char kFindSession[] = STRIFE_SELECT_SESSION "WHERE session_id = ?1";
// ?1 now, (?2, ?3) the position before which the page starts, ?4 rows, ?5 user.
#define STRIFE_PAGE                                                                 \
  "revoked_at IS NULL AND expires_at > ?1 AND (expires_at, session_id) < (?2, ?3) " \
  "ORDER BY expires_at DESC, session_id DESC LIMIT ?4"
inline constexpr char kLiveSessions[] = STRIFE_SELECT_SESSION "INDEXED BY sessions_live WHERE " STRIFE_PAGE;
inline constexpr char kSessionsOfUser[] =
    STRIFE_SELECT_SESSION "INDEXED BY sessions_of_user WHERE username = ?5 AND " STRIFE_PAGE;
#undef STRIFE_PAGE
#undef STRIFE_SELECT_SESSION
inline constexpr char kSuspensions[] =
    "SELECT kind, name, suspended_by, reason, at FROM suspensions ORDER BY kind, name";
inline constexpr char kRevokedSessions[] =
    "SELECT session_id FROM sessions WHERE revoked_at IS NOT NULL AND revoked_at >= ?1 ORDER BY revoked_at, session_id";
inline constexpr char kFindRefreshToken[] =
    "SELECT token_hash, session_id, expires_at, used_at, generation FROM refresh_tokens WHERE token_hash = ?1";

inline constexpr char kFindLoginCounter[] =
    "SELECT scope, subject, failures, counted_at, blocked_until, succeeded_at, forget_at FROM login_counters "
    "WHERE scope = ?1 AND subject = ?2";

inline constexpr char kUpdatePayment[] =
    "UPDATE payments SET state = ?2, reason_code = ?3, message = ?4, epoch = ?5, updated_at = ?6, "
    "trace = coalesce(?7, trace) WHERE id = ?1";
inline constexpr char kUpdatePaymentTrace[] = "UPDATE payments SET trace = ?2 WHERE id = ?1";
inline constexpr char kInsertPayment[] =
    "INSERT INTO payments (" STRIFE_PAYMENT_COLUMNS
    ", trace) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, coalesce(?16, x'')) "
    "ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason_code = excluded.reason_code, "
    "message = excluded.message, epoch = excluded.epoch, updated_at = excluded.updated_at, "
    "trace = coalesce(?16, trace)";
inline constexpr char kUpsertBank[] =
    "INSERT INTO banks (bank_id, display_name, endpoint, currencies, capabilities, registered_at, ahead) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (bank_id) DO UPDATE SET display_name = excluded.display_name, "
    "endpoint = excluded.endpoint, currencies = excluded.currencies, capabilities = excluded.capabilities, "
    "registered_at = excluded.registered_at, ahead = excluded.ahead";
inline constexpr char kUpsertSession[] =
    "INSERT INTO sessions (session_id, username, certificate_thumbprint, created_at, expires_at, revoked_at, "
    "credential, generation) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (session_id) DO UPDATE SET username = excluded.username, "
    "certificate_thumbprint = excluded.certificate_thumbprint, created_at = excluded.created_at, "
    "expires_at = excluded.expires_at, revoked_at = excluded.revoked_at, credential = excluded.credential, "
    "generation = excluded.generation";
inline constexpr char kUpsertRefreshToken[] =
    "INSERT INTO refresh_tokens (token_hash, session_id, expires_at, used_at, generation) VALUES (?1, ?2, ?3, ?4, ?5) "
    "ON CONFLICT (token_hash) DO UPDATE SET session_id = excluded.session_id, expires_at = excluded.expires_at, "
    "used_at = excluded.used_at, generation = excluded.generation";

inline constexpr char kUpsertLoginCounter[] =
    "INSERT INTO login_counters (scope, subject, failures, counted_at, blocked_until, succeeded_at, forget_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (scope, subject) DO UPDATE SET failures = excluded.failures, "
    "counted_at = excluded.counted_at, blocked_until = excluded.blocked_until, succeeded_at = excluded.succeeded_at, "
    "forget_at = excluded.forget_at";
inline constexpr char kForgetLoginCounters[] =
    "DELETE FROM login_counters WHERE (scope, subject) IN "
    "(SELECT scope, subject FROM login_counters WHERE forget_at < ?1 ORDER BY forget_at LIMIT ?2)";

// ?1 before when, ?2 rows.
inline constexpr char kForgetRefreshTokens[] =
    "DELETE FROM refresh_tokens WHERE token_hash IN "
    "(SELECT token_hash FROM refresh_tokens WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";
inline constexpr char kForgetSessions[] =
    "DELETE FROM sessions WHERE session_id IN "
    "(SELECT session_id FROM sessions INDEXED BY sessions_expired WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";

inline constexpr char kUpsertSuspension[] =
    "INSERT INTO suspensions (kind, name, suspended_by, reason, at) VALUES (?1, ?2, ?3, ?4, ?5) "
    "ON CONFLICT (kind, name) DO UPDATE SET suspended_by = excluded.suspended_by, reason = excluded.reason, "
    "at = excluded.at";
inline constexpr char kDeleteSuspension[] = "DELETE FROM suspensions WHERE kind = ?1 AND name = ?2";

inline constexpr char kReadMeta[] = "SELECT store_id, epoch, sequence FROM meta WHERE one = 1";
inline constexpr char kInsertMeta[] = "INSERT INTO meta (one, store_id, epoch, sequence) VALUES (1, ?1, 1, 0)";
inline constexpr char kRaiseEpoch[] = "UPDATE meta SET epoch = epoch + 1 WHERE one = 1";
// Writes only while this incarnation's epoch is the highest: a commit that changes no row here is fenced.
inline constexpr char kAdvance[] = "UPDATE meta SET sequence = ?1 WHERE one = 1 AND epoch = ?2";

#undef STRIFE_SELECT_PAYMENT
#undef STRIFE_PAYMENT_COLUMNS

}  // namespace strife::sqlite
