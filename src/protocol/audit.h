// What the audit log keeps about one event. Plain values: who writes them where is docs/decisions/0007.
//
// Most records of money are made by the stores from what is being committed (audit/audit_of.h). Whoever has something
// else to tell puts a record into GatewayRecords.audit or BankRecords.audit, so that it becomes durable together with
// what it tells of; an event that changes nothing else is an AuditInput to the engine.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "protocol/types.h"

namespace strife::protocol {

// Values are stored: never renumber, never reuse. Names: audit/event_names.h.
enum class AuditEvent : std::uint16_t {
  // Money at the gateway
  kPaymentCommitted = 1,  // decided
  kPaymentAborted = 2,    // decided
  kPaymentLate = 3,       // decided to commit, and a bank has not confirmed in time or stands against it
  // Money at a bank
  kTransactionCommitted = 10,  // posted
  kTransactionAborted = 11,    // refused, or released
  // Users
  kLogin = 20,
  kLoginFailed = 21,
  kLogout = 22,
  kRefreshTokenReused = 23,  // its session is revoked
  kSessionRefused = 24,      // a refresh token that is unknown, expired, revoked or another certificate's
  // Calls
  kCallRefused = 30,  // certificate, policy, token, account
  kLimited = 31,      // calls, payments or connections beyond what a caller may make
  // Banks
  kBankRegistered = 40,  // new or changed
  // Operators
  kForceProposed = 50,
  kForced = 51,
  kForceRefused = 52,
  kForceAgreed = 53,  // the gateway has decided the same
  kForceMixed = 54,   // the gateway has decided the opposite
  kMixedAcknowledged = 55,
  kDirectTransaction = 56,
  kSessionEnded = 57,  // a user's, by an operator
  kBankSuspended = 58,
  kBankResumed = 59,
  // Servers, their users and keys
  kServerStarted = 60,
  kUsersLoaded = 61,
  kCertificatesLoaded = 62,
  kRevocationListLoaded = 63,
  kTokenKeysLoaded = 64,
  kReloadFailed = 65,
  // Operators again
  kUserSuspended = 66,
  kUserResumed = 67,
  kDrainStarted = 68,
  kDrainEnded = 69,
};

// Texts are cut to the limits::kMaxAudit…Bytes and made printable when they are written; no secret belongs in them.
struct AuditRecord {
  AuditEvent event = AuditEvent::kCallRefused;
  WallTime at;
  std::string actor;        // "user/alice", "operator/olga", "bank/bank1", "client/client"; empty: the server itself
  std::string peer;         // address it came from, if any
  std::string subject;      // what it is about: transaction id, session id, bank id, method, file
  std::string detail;       // outcome and circumstances, "name=value" parted by spaces
  std::uint32_t count = 1;  // how many like this; more than one only when refusals are summed up

  bool operator==(const AuditRecord&) const = default;
};

// An event to be recorded for itself. `reply_to` is given back once the record is durable.
struct AuditInput {
  ReplyTo reply_to;
  AuditRecord record;
};

// Who asks, as far as the log wants to know.
struct AuditOrigin {
  std::string actor;
  std::string peer;
};

}  // namespace strife::protocol
