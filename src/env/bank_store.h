// BankStore: a bank's durable state, batch-shaped. Same rules as GatewayStore: one writer, many snapshot readers.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "env/audit_log.h"
#include "env/cursor.h"
#include "protocol/bank_batch.h"
#include "protocol/types.h"

namespace strife {

using protocol::BankKeys;
using protocol::BankRecords;
using protocol::BankRows;
using protocol::GatewaySeen;

struct LedgerTotals {
  Currency currency;
  std::int64_t debits = 0;     // sum of the negative entries, as a positive number
  std::int64_t credits = 0;    // sum of the positive entries
  std::int64_t clearing = 0;   // posted on the clearing account
  std::int64_t held = 0;       // on customer accounts
  std::uint64_t accounts = 0;  // customer accounts

  // These count one entry or account of this currency. A sum that does not fit stays at the largest value.
  void Add(const protocol::EntryRecord& entry) {
    currency = entry.currency;
    if (entry.amount_minor_units < 0) {
      debits = CheckedSubtract(debits, entry.amount_minor_units).value_or(kMost);
    } else {
      credits = CheckedAdd(credits, entry.amount_minor_units).value_or(kMost);
    }
  }
  void Add(const protocol::AccountRecord& account) {
    currency = account.currency;
    if (account.kind == protocol::AccountKind::kClearing) {
      clearing = CheckedAdd(clearing, account.posted).value_or(kMost);
    } else if (account.kind == protocol::AccountKind::kCustomer) {
      held = CheckedAdd(held, account.held).value_or(kMost);
      ++accounts;
    }
  }

 private:
  static constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
};

// The books as they stood at one moment. For one thread at a time; its cursors may be walked side by side and may
// outlive it.
class BankSnapshot {
 public:
  virtual ~BankSnapshot() = default;

  // Whose books these are; empty when no bank has opened the store yet.
  virtual Result<std::string> BankId() = 0;
  virtual Result<std::unique_ptr<Cursor<protocol::BankTransactionRecord>>> Transactions() = 0;  // by id
  virtual Result<std::unique_ptr<Cursor<protocol::EntryRecord>>> Entries() = 0;         // by transaction id, line
  virtual Result<std::unique_ptr<Cursor<protocol::AccountRecord>>> Accounts() = 0;      // by account id
  virtual Result<std::unique_ptr<Cursor<protocol::HeuristicRecord>>> Heuristics() = 0;  // by transaction id
  // Debits and credits as the bank keeps them running, by currency; nothing else of LedgerTotals is filled in. Sums
  // that do not fit stay at the largest value.
  virtual Result<std::vector<LedgerTotals>> RunningSums() = 0;
};

// Thread-safe. A call sees everything committed before it started.
class BankReader {
 public:
  virtual ~BankReader() = default;

  virtual Result<std::optional<protocol::AccountRecord>> FindAccount(const std::string& account_id) = 0;
  virtual Result<std::optional<protocol::BankTransactionRecord>> FindTransaction(const Uuid& id) = 0;
  // The bytes of its trace; none when there is no such transaction, or none is kept.
  virtual Result<std::string> FindTrace(const Uuid& id) = 0;
  // One for each currency, by code. Sums that do not fit stay at the largest value.
  virtual Result<std::vector<LedgerTotals>> Totals() = 0;
  virtual Result<std::unique_ptr<BankSnapshot>> Snapshot() = 0;
  virtual Result<std::unique_ptr<AuditSnapshot>> Audit() = 0;
};

class BankStore {
 public:
  virtual ~BankStore() = default;

  // Binds the store to the bank's id the first time; kInvalidInput when it belongs to another bank. Comes before all
  // else.
  virtual Status Open(const std::string& bank_id) = 0;
  virtual Result<std::optional<GatewaySeen>> LoadGatewaySeen() = 0;
  // All transactions whose decision the gateway has not told, for recovery: those in kPrepared and those operators have
  // forced since, by id.
  virtual Result<std::vector<protocol::BankTransactionRecord>> LoadPrepared() = 0;
  // All but the agreed ones, by transaction id.
  virtual Result<std::vector<protocol::HeuristicRecord>> LoadHeuristics() = 0;
  virtual Result<BankRows> Load(const BankKeys& keys) = 0;
  // Durable when it returns. kInternal: an entry that exists already or a record that may not exist, such as an
  // overdrawn customer account; nothing was written. After kStorage it is unknown whether it was. Any error means the
  // process must stop without retrying (rule 15).
  virtual Status Commit(const BankRecords& records) = 0;
};

}  // namespace strife
