// BankStore: a bank's durable state, batch-shaped. Same rules as GatewayStore: one writer, many snapshot readers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
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
};

// Thread-safe. Snapshots: a call sees everything committed before it started.
class BankReader {
 public:
  virtual ~BankReader() = default;

  virtual Result<std::optional<protocol::AccountRecord>> FindAccount(const std::string& account_id) = 0;
  virtual Result<std::optional<protocol::BankTransactionRecord>> FindTransaction(const Uuid& id) = 0;
  virtual Result<std::vector<LedgerTotals>> Totals() = 0;

  // Scans in one snapshot each, bounded memory, until `visit` returns false.
  virtual Status ScanTransactions(
      const std::function<bool(const protocol::BankTransactionRecord&)>& visit) = 0;                  // by id
  virtual Status ScanEntries(const std::function<bool(const protocol::EntryRecord&)>& visit) = 0;     // by id, line
  virtual Status ScanAccounts(const std::function<bool(const protocol::AccountRecord&)>& visit) = 0;  // by account id
};

class BankStore {
 public:
  virtual ~BankStore() = default;

  // Binds the store to the bank's id the first time; kInvalidInput when it belongs to another bank.
  virtual Status Open(const std::string& bank_id) = 0;
  virtual Result<std::optional<GatewaySeen>> LoadGatewaySeen() = 0;
  // All transactions in kPrepared, for recovery.
  virtual Result<std::vector<protocol::BankTransactionRecord>> LoadPrepared() = 0;
  virtual Result<BankRows> Load(const BankKeys& keys) = 0;
  // Durable when it returns. Any error means the process must stop without retrying (rule 15).
  virtual Status Commit(const BankRecords& records) = 0;
};

}  // namespace strife
