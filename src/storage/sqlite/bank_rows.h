// A bank's records from rows of its tables.
#pragma once

#include "env/bank_store.h"
#include "storage/sqlite/sqlite.h"

namespace strife::sqlite {

struct BankMeta {
  std::string bank_id;
  std::optional<GatewaySeen> gateway_seen;
};

// Each expects the columns as bank_schema.h selects them, and fails on a malformed row.
Result<BankMeta> ReadBankMeta(const Statement& statement);
Result<protocol::BankTransactionRecord> ReadBankTransaction(const Statement& statement);
Result<protocol::AccountRecord> ReadAccount(const Statement& statement);
Result<protocol::HeuristicRecord> ReadHeuristic(const Statement& statement);
Result<protocol::EntryRecord> ReadEntry(const Statement& statement);

}  // namespace strife::sqlite
