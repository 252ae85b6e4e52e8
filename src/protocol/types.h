// The nouns of the protocol: what a payment is, what the gateway and a bank keep durably about it, and what they say to
// each other. Plain values: no behaviour, no I/O, no clock.
//
// The records here are the schema: storage keeps exactly these fields and nothing decides on anything else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "base/uuid.h"
#include "protocol/trace_context.h"

namespace strife::protocol {

struct AccountRef {
  std::string bank_id;
  std::string account_id;

  bool operator==(const AccountRef&) const = default;
};

// What a user asked for. Two orders with the same id are the same payment only when every field is equal.
struct PaymentOrder {
  Uuid id;
  std::string payer;  // user name; empty for the tombstone an inquiry about an unknown transaction leaves
  AccountRef from;
  AccountRef to;
  Money amount;
  std::string memo;

  bool operator==(const PaymentOrder&) const = default;
};

// Values are stored: never renumber.
enum class PaymentState : std::uint8_t {
  kInitiated = 1,      // recorded, banks being asked
  kCommitting = 2,     // decided to commit, not yet acknowledged by every bank
  kCompleted = 3,      // final: posted everywhere
  kAborted = 4,        // final: posted nowhere
  kPartialCommit = 5,  // decided to commit, a bank is late; ends in kCompleted
};

// As in the API: "INITIATED", …
constexpr std::string_view StateName(PaymentState state) {
  switch (state) {
    case PaymentState::kInitiated:
      return "INITIATED";
    case PaymentState::kCommitting:
      return "COMMITTING";
    case PaymentState::kCompleted:
      return "COMPLETED";
    case PaymentState::kAborted:
      return "ABORTED";
    case PaymentState::kPartialCommit:
      return "PARTIAL_COMMIT_RECOVERY_NEEDED";
  }
  return "UNKNOWN";
}

constexpr bool IsFinal(PaymentState state) {
  return state == PaymentState::kCompleted || state == PaymentState::kAborted;
}
constexpr bool IsDecidedCommit(PaymentState state) {
  return state == PaymentState::kCommitting || state == PaymentState::kCompleted ||
         state == PaymentState::kPartialCommit;
}

// The gateway's record of a payment: idempotency record, decision and history in one row.
struct PaymentRecord {
  PaymentOrder order;
  PaymentState state = PaymentState::kInitiated;
  std::string reason_code;  // empty unless aborted, late or mixed
  std::string message;      // the bank's own words, if any
  std::uint64_t epoch = 0;  // gateway incarnation that owns it (rule 9)
  WallTime created_at;
  WallTime updated_at;

  bool operator==(const PaymentRecord&) const = default;
};

// A bank as the gateway knows it.
struct BankRecord {
  std::string bank_id;
  std::string display_name;
  std::string endpoint;  // host:port
  std::vector<std::string> currencies;
  std::vector<std::string> capabilities;
  WallTime registered_at;
  // The bank has claimed to have seen this sequence of the gateway's store when the store had not come so far; 0: no.
  std::uint64_t ahead = 0;

  bool operator==(const BankRecord&) const = default;
};

// ---- The bank's durable records ----

enum class AccountKind : std::uint8_t { kCustomer = 1, kClearing = 2, kCash = 3, kOpening = 4 };
enum class AccountStatus : std::uint8_t { kActive = 1, kBlocked = 2, kClosed = 3 };

// An account and its running totals in minor units. `posted` is always the sum of the account's entries.
struct AccountRecord {
  std::string account_id;  // customers: IsIdentifier; the bank's own: "clearing:USD", "cash:USD", "opening:USD"
  AccountKind kind = AccountKind::kCustomer;
  AccountStatus status = AccountStatus::kActive;
  Currency currency;
  std::int64_t posted = 0;
  std::int64_t held = 0;      // reserved to leave, for prepared transactions
  std::int64_t incoming = 0;  // reserved to arrive, so that posting can never overflow

  bool operator==(const AccountRecord&) const = default;
};

enum class BankTransactionKind : std::uint8_t { kPayment = 1, kDirect = 2, kOpening = 3 };
enum class BankTransactionState : std::uint8_t { kPrepared = 2, kCommitted = 3, kAborted = 4 };

constexpr std::string_view StateName(BankTransactionState state) {
  switch (state) {
    case BankTransactionState::kPrepared:
      return "PREPARED";
    case BankTransactionState::kCommitted:
      return "COMMITTED";
    case BankTransactionState::kAborted:
      return "ABORTED";
  }
  return "UNKNOWN";
}

// What a bank durably knows about one transaction. A row in kAborted with no accounts is a tombstone or a NO vote.
struct BankTransactionRecord {
  Uuid id;
  BankTransactionKind kind = BankTransactionKind::kPayment;
  BankTransactionState state = BankTransactionState::kPrepared;
  std::uint64_t epoch = 0;     // highest gateway epoch seen for it (rule 9)
  Uuid gateway_store_id;       // store of the gateway that prepared it; nil for direct and opening
  std::string debit_account;   // account here that pays; empty when that leg is elsewhere
  std::string credit_account;  // account here that receives; empty when that leg is elsewhere
  Money amount;
  std::string reason_code;  // why it was refused
  WallTime created_at;
  WallTime updated_at;

  bool operator==(const BankTransactionRecord&) const = default;
};

// One line of the append-only ledger. The lines of a transaction sum to zero.
struct EntryRecord {
  Uuid transaction_id;
  std::uint8_t line = 0;  // 0, 1, … within the transaction
  std::string account_id;
  std::int64_t amount_minor_units = 0;  // positive: credit to the account, negative: debit
  Currency currency;
  WallTime posted_at;

  bool operator==(const EntryRecord&) const = default;
};

// ---- Messages between gateway and bank ----

enum class CommandKind : std::uint8_t { kPrepare = 1, kCommit = 2, kAbort = 3 };

// Gateway to bank.
struct BankCommand {
  CommandKind kind = CommandKind::kPrepare;
  Uuid id;
  std::uint64_t epoch = 0;
  Uuid gateway_store_id;
  std::uint64_t gateway_sequence = 0;  // durable progress of the sending store (rule 7)
  AccountRef from;                     // prepare only, as are `to` and `amount`
  AccountRef to;
  Money amount;
  std::optional<TraceContext> trace{};  // of whoever has asked for the payment, if it said so

  bool operator==(const BankCommand&) const = default;
};

enum class CommandOutcome : std::uint8_t {
  kYes = 1,                // prepare: held durably
  kNo = 2,                 // prepare: refused durably
  kDone = 3,               // commit, abort: done now or before
  kStale = 4,              // a newer epoch has spoken
  kViolation = 5,          // contradicts the bank's record; nothing changed
  kOverloaded = 6,         // the bank did not look at it; send again later
  kMixed = 7,              // commit, abort: operators of the bank have decided the other way; nothing changed (rule 14)
  kMixedAcknowledged = 8,  // the same, and the difference has been settled by hand
};

// Bank to gateway, for one command.
struct BankReply {
  CommandKind kind = CommandKind::kPrepare;
  Uuid id;
  CommandOutcome outcome = CommandOutcome::kNo;
  std::string reason_code;
  std::string message;

  bool operator==(const BankReply&) const = default;
};

enum class Decision : std::uint8_t { kCommit = 1, kAbort = 2, kPending = 3 };

// Names the caller waiting for an answer. Opaque to the core; given back with the answer exactly once.
struct ReplyTo {
  std::uint64_t call = 0;  // 0: nobody waits
  std::uint32_t slot = 0;

  bool operator==(const ReplyTo&) const = default;
};

}  // namespace strife::protocol
