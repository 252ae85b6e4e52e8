// What the participant asks storage for and gives it to write, a batch at a time.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/audit.h"
#include "protocol/heuristic.h"
#include "protocol/trace.h"
#include "protocol/types.h"

namespace strife::protocol {

struct BankKeys {
  std::vector<Uuid> transactions;
  std::vector<std::string> accounts;
};

// What was found; a key that is absent here is absent in the store.
struct BankRows {
  std::unordered_map<Uuid, BankTransactionRecord> transactions;
  std::unordered_map<std::string, AccountRecord> accounts;
  std::unordered_map<Uuid, std::string> traces;  // of `transactions`, where there are any
};

// The gateway store a bank works with and the highest sequence it has seen from it (rule 7).
struct GatewaySeen {
  Uuid store_id;
  std::uint64_t sequence = 0;

  bool operator==(const GatewaySeen&) const = default;
};

// Written together or not at all. Transactions and accounts are upserts by primary key: of one that exists only a
// transaction's state, epoch, reason_code and updated_at and an account's status, posted, held and incoming change.
// Entries are only ever inserted, and inserting one that exists is an error. Heuristics are upserts of everything. With
// them the store writes the audit log: first what audit::AuditOf makes of the records, then `audit`. Traces belong to
// transactions that are there or come with them; those of `transactions` in their order. One that does not come stays.
struct BankRecords {
  std::vector<BankTransactionRecord> transactions;
  std::vector<AccountRecord> accounts;
  std::vector<EntryRecord> entries;
  std::optional<GatewaySeen> gateway_seen;
  std::vector<HeuristicRecord> heuristics{};
  std::vector<AuditRecord> audit{};
  std::vector<TraceRecord> traces{};

  // Traces come only with transactions.
  bool empty() const {
    return transactions.empty() && accounts.empty() && entries.empty() && !gateway_seen && heuristics.empty() &&
           audit.empty();
  }
};

}  // namespace strife::protocol
