// GatewayStore: the gateway's durable state, batch-shaped.
//
// One writer (the engine's thread) calls OpenIncarnation, LoadOpenPayments, Load and Commit. GatewayReader is for
// everybody else: it reads committed snapshots, from any thread, and never waits for the writer.
// Implementations: storage/memory (simulation) and storage/sqlite; one contract test runs on both.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"
#include "env/audit_log.h"
#include "env/cursor.h"
#include "protocol/audit.h"
#include "protocol/trace.h"
#include "protocol/types.h"

namespace strife {

// A login and everything that descends from it by refreshing. Revoked for good by logout or by a token that the session
// has left behind (security/session.h).
struct SessionRecord {
  Uuid session_id;
  std::string username;
  Sha256 certificate_thumbprint{};  // SHA-256 of the client certificate's DER form
  WallTime created_at;
  WallTime expires_at;
  std::optional<WallTime> revoked_at;
  Sha256 credential{};          // SHA-256 of the password hash it was opened with: a session ends with its password
  std::int64_t generation = 0;  // of the refresh token used last; 0: none has been used

  bool operator==(const SessionRecord&) const = default;
};

// Refresh tokens are stored as their SHA-256 only.
struct RefreshTokenRecord {
  Sha256 token_hash{};
  Uuid session_id;
  WallTime expires_at;
  std::optional<WallTime> used_at;
  std::int64_t generation = 1;  // one more than that of the token it was made from; 1: it came with the login

  bool operator==(const RefreshTokenRecord&) const = default;
};

// What failed logins are counted by: security/login_throttle.h says why.
enum class LoginScope : std::uint8_t { kDevice = 1, kUser = 2, kCertificate = 3, kAddress = 4 };

struct LoginCounterKey {
  LoginScope scope = LoginScope::kDevice;
  std::string subject;  // "<user>/<certificate>", or the user, the certificate, the address

  auto operator<=>(const LoginCounterKey&) const = default;
};

struct LoginCounterRecord {
  LoginCounterKey key;
  std::int64_t failures = 0;  // as of counted_at; some are forgiven with time
  WallTime counted_at;
  std::optional<WallTime> blocked_until;
  std::optional<WallTime> succeeded_at;  // the last login of a device
  WallTime forget_at;                    // from then on the record says no more than none

  bool operator==(const LoginCounterRecord&) const = default;
};

// What operators have suspended: no new payments for a bank, neither logins nor payments for a user.
enum class SuspendedKind : std::uint8_t { kBank = 1, kUser = 2 };

struct SuspensionRecord {
  SuspendedKind kind = SuspendedKind::kBank;
  std::string name;
  bool suspended = true;  // false: it has been resumed, and the record goes
  std::string by;         // the operator, as in the certificate
  std::string reason;     // as the operator gives it; may be empty
  WallTime at;

  bool operator==(const SuspensionRecord&) const = default;
};

struct GatewayKeys {
  std::vector<Uuid> payments;
  std::vector<Sha256> refresh_tokens;  // each brings its session along
  std::vector<Uuid> sessions;
  std::vector<LoginCounterKey> login_counters{};
};

// What was found; a key that is absent here is absent in the store.
struct GatewayRows {
  std::unordered_map<Uuid, protocol::PaymentRecord> payments;
  std::unordered_map<Sha256, RefreshTokenRecord, Sha256Hash> refresh_tokens;
  std::unordered_map<Uuid, SessionRecord> sessions;
  std::map<LoginCounterKey, LoginCounterRecord> login_counters;
  std::unordered_map<Uuid, std::string> traces;  // of `payments`, where there are any
};

// Written together or not at all. Everything is an upsert by primary key; of a payment that exists only state,
// reason_code, message, epoch and updated_at change, never order and created_at. With them the store writes the audit
// log: first what audit::AuditOf makes of the records, then `audit`. Traces belong to payments that are there or come
// with them; those of `payments` first, in their order. One that does not come stays as it is.
struct GatewayRecords {
  std::vector<protocol::PaymentRecord> payments;
  std::vector<protocol::BankRecord> banks;
  std::vector<SessionRecord> sessions;
  std::vector<RefreshTokenRecord> refresh_tokens;
  std::vector<LoginCounterRecord> login_counters{};
  // Deletes login counters whose forget_at is before this, kMaxForgottenRows of them at most.
  std::optional<WallTime> forget_before{};
  // Deletes refresh tokens and sessions that expired before this, as many of each at most, the oldest first.
  std::optional<WallTime> forget_sessions_before{};
  std::uint64_t sequence = 0;  // durable progress after this batch: one more than after the batch before
  std::vector<protocol::AuditRecord> audit{};
  std::vector<protocol::TraceRecord> traces{};
  std::vector<SuspensionRecord> suspensions{};

  bool empty() const {
    return payments.empty() && banks.empty() && sessions.empty() && refresh_tokens.empty() && login_counters.empty() &&
           !forget_before && !forget_sessions_before && audit.empty() && suspensions.empty() && traces.empty();
  }
};

// Identity of the store and of the process that has just taken it over.
struct GatewayIncarnation {
  Uuid store_id;               // made when the store was created, never changes
  std::uint64_t epoch = 0;     // greater than that of every incarnation before (rule 9)
  std::uint64_t sequence = 0;  // of the last committed batch
};

struct HistoryQuery {
  std::string payer;
  std::optional<protocol::PaymentState> state;
  std::optional<WallTime> since;  // created at or after
  std::optional<WallTime> until;  // created before
  // Continue after this payment (the last of the page before).
  struct Position {
    WallTime created_at;
    Uuid id;
  };
  std::optional<Position> after;
  int limit = 50;  // rows
};

// What operators look for among everybody's payments. Absent: whatever it is.
struct PaymentsQuery {
  std::optional<std::string> payer;
  std::optional<std::string> bank_id;  // of the payer or the payee
  std::optional<protocol::PaymentState> state;
  std::optional<WallTime> since;  // as in HistoryQuery, also below
  std::optional<WallTime> until;
  std::optional<std::int64_t> min_minor_units;
  std::optional<std::int64_t> max_minor_units;
  std::optional<HistoryQuery::Position> after;
  int limit = 50;  // rows
};

struct PaymentsPage {
  std::vector<protocol::PaymentRecord> payments;
  // Where to go on. Set as well when kMaxRowsExamined rows were looked at before the page was full.
  std::optional<HistoryQuery::Position> next;
};

struct SessionsQuery {
  WallTime now;  // sessions that have not ended by then
  std::optional<std::string> username;
  // Continue after this session (the last of the page before).
  struct Position {
    WallTime expires_at;
    Uuid session_id;
  };
  std::optional<Position> after;
  int limit = 50;  // rows
};

// Thread-safe. Snapshots: a call sees everything committed before it started.
class GatewayReader {
 public:
  virtual ~GatewayReader() = default;

  virtual Result<std::optional<protocol::PaymentRecord>> FindPayment(const Uuid& id) = 0;
  // Newest first: by created_at, then id, both descending. Costs the rows returned, not the rows skipped; only a filter
  // on kCompleted also costs the payer's payments in other states that lie between.
  virtual Result<std::vector<protocol::PaymentRecord>> History(const HistoryQuery& query) = 0;
  // Newest first. Costs the rows examined, which are bounded.
  virtual Result<PaymentsPage> Payments(const PaymentsQuery& query) = 0;
  // Live ones, those that end last first: by expires_at, then id, both descending.
  virtual Result<std::vector<SessionRecord>> Sessions(const SessionsQuery& query) = 0;
  // By kind, then name.
  virtual Result<std::vector<SuspensionRecord>> Suspensions() = 0;
  virtual Result<std::vector<protocol::BankRecord>> Banks() = 0;
  // Sessions revoked at or after `since`.
  virtual Result<std::vector<Uuid>> SessionsRevokedSince(WallTime since) = 0;
  // How many payments there are. Costs a walk over an index.
  virtual Result<std::uint64_t> CountPayments() = 0;
  // Every payment in ascending id order, as committed when this was called.
  virtual Result<std::unique_ptr<Cursor<protocol::PaymentRecord>>> ScanPayments() = 0;
  virtual Result<std::unique_ptr<AuditSnapshot>> Audit() = 0;
};

class GatewayStore {
 public:
  virtual ~GatewayStore() = default;

  // Takes the store over: raises the epoch durably. From then on Load and Commit of earlier incarnations fail with
  // kFenced: one that was replaced unawares must end. `store_id_if_new` is used when the store is new.
  virtual Result<GatewayIncarnation> OpenIncarnation(const Uuid& store_id_if_new) = 0;
  // All payments that are not final, for recovery.
  virtual Result<std::vector<protocol::PaymentRecord>> LoadOpenPayments() = 0;
  virtual Result<GatewayRows> Load(const GatewayKeys& keys) = 0;
  // Durable when it returns: the data has reached the disk. kFenced: another incarnation owns the store. kInternal: a
  // record that may not exist, such as a negative amount. After kFenced and kInternal nothing was written; after
  // kStorage it is unknown whether it was. Any error means the process must stop without retrying (rule 15).
  // REQUIRES: OpenIncarnation succeeded.
  virtual Status Commit(const GatewayRecords& records) = 0;
};

}  // namespace strife
