#include <algorithm>
#include <map>
#include <utility>

#include "storage/sqlite/audit_snapshot.h"
#include "storage/sqlite/bank_rows.h"
#include "storage/sqlite/bank_schema.h"
#include "storage/sqlite/bank_sqlite.h"
#include "storage/sqlite/prepare.h"
#include "storage/sqlite/row.h"
#include "storage/sqlite/snapshot.h"

namespace strife {
namespace {

using protocol::AccountRecord;
using protocol::BankTransactionRecord;
using protocol::EntryRecord;
using protocol::HeuristicRecord;
using sqlite::Database;
using sqlite::Statement;

struct Connection {
  Database database;
  Statement find_account, find_transaction, find_trace, totals, accounts;

  static Result<std::unique_ptr<Connection>> Open(const std::filesystem::path& file) {
    auto database = sqlite::OpenReader(file, sqlite::kBankSchema);
    if (!database) return std::unexpected(std::move(database.error()));
    auto connection = std::make_unique<Connection>();
    connection->database = std::move(*database);
    auto prepared = sqlite::PrepareAll(connection->database, {{&connection->find_account, sqlite::kFindAccount},
                                                              {&connection->find_transaction, sqlite::kFindTransaction},
                                                              {&connection->find_trace, sqlite::kFindTransactionTrace},
                                                              {&connection->totals, sqlite::kReadTotals},
                                                              {&connection->accounts, sqlite::kScanAccounts}});
    if (!prepared) return std::unexpected(std::move(prepared.error()));
    return connection;
  }
};

using Pool = sqlite::ReaderPool<Connection>;
using Snapshot = sqlite::ReadSnapshot<Connection>;
template <typename Record>
using RecordCursor = sqlite::StatementCursor<Connection, Record>;

Result<LedgerTotals> ReadTotals(const Statement& statement) {
  sqlite::Row row(statement, "totals");
  LedgerTotals totals;
  totals.currency = row.CurrencyCode(0);
  totals.debits = row.Integer(1);
  totals.credits = row.Integer(2);
  return row.Finish(totals);
}

class BankSnapshotSqlite final : public BankSnapshot {
 public:
  explicit BankSnapshotSqlite(std::shared_ptr<Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}

  Result<std::unique_ptr<Cursor<BankTransactionRecord>>> Transactions() override {
    return RecordCursor<BankTransactionRecord>::Open(snapshot_, sqlite::kScanTransactions,
                                                     &sqlite::ReadBankTransaction);
  }
  Result<std::unique_ptr<Cursor<EntryRecord>>> Entries() override {
    return RecordCursor<EntryRecord>::Open(snapshot_, sqlite::kScanEntries, &sqlite::ReadEntry);
  }
  Result<std::unique_ptr<Cursor<AccountRecord>>> Accounts() override {
    return RecordCursor<AccountRecord>::Open(snapshot_, sqlite::kScanAccounts, &sqlite::ReadAccount);
  }
  Result<std::unique_ptr<Cursor<HeuristicRecord>>> Heuristics() override {
    return RecordCursor<HeuristicRecord>::Open(snapshot_, sqlite::kScanHeuristics, &sqlite::ReadHeuristic);
  }
  Result<std::string> BankId() override {
    auto read = snapshot_->database().Prepare(sqlite::kReadBankMeta);
    if (!read) return std::unexpected(std::move(read.error()));
    auto meta = sqlite::ReadOne<sqlite::BankMeta>(*read, &sqlite::ReadBankMeta);
    if (!meta) return std::unexpected(std::move(meta.error()));
    return *meta ? (*meta)->bank_id : std::string();
  }
  Result<std::vector<LedgerTotals>> RunningSums() override {
    auto read = snapshot_->database().Prepare(sqlite::kReadTotals);
    if (!read) return std::unexpected(std::move(read.error()));
    return sqlite::ReadMany<LedgerTotals>(*read, &ReadTotals);
  }

 private:
  std::shared_ptr<Snapshot> snapshot_;
};

class BankReaderSqlite final : public BankReader {
 public:
  explicit BankReaderSqlite(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

  Result<std::optional<AccountRecord>> FindAccount(const std::string& account_id) override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    Statement& find = (*connection)->find_account;
    find.Bind(1, account_id);
    return sqlite::ReadOne<AccountRecord>(find, &sqlite::ReadAccount);
  }

  Result<std::optional<BankTransactionRecord>> FindTransaction(const Uuid& id) override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    Statement& find = (*connection)->find_transaction;
    find.Bind(1, id.bytes);
    return sqlite::ReadOne<BankTransactionRecord>(find, &sqlite::ReadBankTransaction);
  }

  Result<std::string> FindTrace(const Uuid& id) override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    Statement& find = (*connection)->find_trace;
    find.Bind(1, id.bytes);
    auto found = sqlite::ReadOne<std::string>(find, &sqlite::ReadTrace);
    if (!found) return std::unexpected(std::move(found.error()));
    return std::move(*found).value_or(std::string());
  }

  Result<std::vector<LedgerTotals>> Totals() override;

  Result<std::unique_ptr<BankSnapshot>> Snapshot() override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    auto snapshot = sqlite::ReadSnapshot<Connection>::Begin(std::move(*connection));
    if (!snapshot) return std::unexpected(std::move(snapshot.error()));
    return std::make_unique<BankSnapshotSqlite>(std::move(*snapshot));
  }

  Result<std::unique_ptr<AuditSnapshot>> Audit() override {
    auto connection = pool_->Take();
    if (!connection) return std::unexpected(std::move(connection.error()));
    return sqlite::AuditSnapshotSqlite<Connection>::Begin(std::move(*connection));
  }

 private:
  std::shared_ptr<Pool> pool_;
};

Result<std::vector<LedgerTotals>> BankReaderSqlite::Totals() {
  auto connection = pool_->Take();
  if (!connection) return std::unexpected(std::move(connection.error()));
  auto transaction = sqlite::ReadTransaction::Begin((*connection)->database);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  auto sums = sqlite::ReadMany<LedgerTotals>((*connection)->totals, &ReadTotals);
  if (!sums) return sums;
  std::map<Currency, LedgerTotals> totals;
  for (const LedgerTotals& sum : *sums) totals[sum.currency] = sum;

  Statement& accounts = (*connection)->accounts;
  const sqlite::ResetAtEnd reset(accounts);
  for (;;) {
    auto row = accounts.Step();
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) break;
    auto account = sqlite::ReadAccount(accounts);
    if (!account) return std::unexpected(std::move(account.error()));
    totals[account->currency].Add(*account);
  }
  std::vector<LedgerTotals> result;
  result.reserve(totals.size());
  for (auto& [currency, total] : totals) result.push_back(total);
  return result;
}

}  // namespace

Result<std::unique_ptr<BankReader>> OpenBankReader(const std::filesystem::path& file) {
  auto pool = Pool::Open(file);
  if (!pool) return std::unexpected(std::move(pool.error()));
  return std::make_unique<BankReaderSqlite>(std::move(*pool));
}

}  // namespace strife
