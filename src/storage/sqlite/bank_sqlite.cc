#include "storage/sqlite/bank_sqlite.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "audit/audit_of.h"
#include "storage/sqlite/audit_table.h"
#include "storage/sqlite/bank_rows.h"
#include "storage/sqlite/bank_schema.h"
#include "storage/sqlite/bind.h"
#include "storage/sqlite/checkpointer.h"
#include "storage/sqlite/file_lock.h"
#include "storage/sqlite/prepare.h"
#include "storage/sqlite/row.h"

namespace strife {
namespace {

using protocol::AccountRecord;
using protocol::BankTransactionRecord;
using protocol::BankTransactionState;
using protocol::EntryRecord;
using protocol::HeuristicRecord;
using protocol::TraceRecord;
using sqlite::BankMeta;
using sqlite::BindTrace;
using sqlite::Database;
using sqlite::Micros;
using sqlite::Signed;
using sqlite::Statement;

class BankSqlite final : public BankStore {
 public:
  static Result<std::unique_ptr<BankStore>> Open(const std::filesystem::path& file) {
    auto lock = sqlite::FileLock::Take(file);
    if (!lock) return std::unexpected(std::move(lock.error()));
    auto database = sqlite::OpenWriter(file, sqlite::kBankSchema);
    if (!database) return std::unexpected(std::move(database.error()));
    std::unique_ptr<BankSqlite> store(new BankSqlite(file, std::move(*lock), std::move(*database)));
    if (auto prepared = store->Prepare(); !prepared) return std::unexpected(std::move(prepared.error()));
    auto checkpointer = sqlite::Checkpointer::Start(file, store->database_);
    if (!checkpointer) return std::unexpected(std::move(checkpointer.error()));
    store->checkpointer_ = std::move(*checkpointer);
    return std::unique_ptr<BankStore>(std::move(store));
  }

  Status Open(const std::string& bank_id) override;
  Result<std::optional<GatewaySeen>> LoadGatewaySeen() override;
  Result<std::vector<BankTransactionRecord>> LoadPrepared() override;
  Result<std::vector<HeuristicRecord>> LoadHeuristics() override;
  Result<BankRows> Load(const BankKeys& keys) override;
  Status Commit(const BankRecords& records) override;

 private:
  BankSqlite(std::filesystem::path file, sqlite::FileLock lock, Database database)
      : file_(std::move(file)), lock_(std::move(lock)), database_(std::move(database)) {}

  Status Prepare();
  Result<std::optional<BankMeta>> ReadMeta();
  Status Write(const BankRecords& records);
  // `trace`: none leaves it as it is.
  Status WriteTransaction(const BankTransactionRecord& transaction, const TraceRecord* trace);
  Result<bool> UpdateTransaction(const BankTransactionRecord& transaction, const TraceRecord* trace);
  Status WriteAccount(const AccountRecord& account);
  Status WriteEntry(const EntryRecord& entry);
  Status AddToTotals(const std::vector<EntryRecord>& entries);
  Status WriteGatewaySeen(const GatewaySeen& seen);
  Status WriteHeuristic(const HeuristicRecord& record);

  const std::filesystem::path file_;
  sqlite::FileLock lock_;  // goes last
  Database database_;
  Statement find_transaction_, find_trace_, find_account_, prepared_, forced_, heuristics_, read_meta_;
  Statement update_transaction_, insert_transaction_, update_account_, insert_account_, insert_entry_, add_to_totals_;
  Statement insert_meta_, update_seen_, put_heuristic_;
  sqlite::AuditTable audit_;
  std::optional<Error> failed_;                         // after a storage error nothing is written any more
  std::unique_ptr<sqlite::Checkpointer> checkpointer_;  // goes first: it uses the connection
};

Status BankSqlite::Prepare() {
  if (auto prepared = audit_.Prepare(database_); !prepared) return prepared;
  return sqlite::PrepareAll(database_, {{&find_transaction_, sqlite::kFindTransaction},
                                        {&find_trace_, sqlite::kFindTransactionTrace},
                                        {&find_account_, sqlite::kFindAccount},
                                        {&prepared_, sqlite::kPreparedTransactions},
                                        {&forced_, sqlite::kForcedTransactions},
                                        {&heuristics_, sqlite::kLiveHeuristics},
                                        {&read_meta_, sqlite::kReadBankMeta},
                                        {&update_transaction_, sqlite::kUpdateTransaction},
                                        {&insert_transaction_, sqlite::kInsertTransaction},
                                        {&update_account_, sqlite::kUpdateAccount},
                                        {&insert_account_, sqlite::kInsertAccount},
                                        {&insert_entry_, sqlite::kInsertEntry},
                                        {&add_to_totals_, sqlite::kAddToTotals},
                                        {&insert_meta_, sqlite::kInsertBankMeta},
                                        {&update_seen_, sqlite::kUpdateGatewaySeen},
                                        {&put_heuristic_, sqlite::kPutHeuristic}});
}

Result<std::optional<BankMeta>> BankSqlite::ReadMeta() {
  return sqlite::ReadOne<BankMeta>(read_meta_, &sqlite::ReadBankMeta);
}

Status BankSqlite::Open(const std::string& bank_id) {
  auto transaction = sqlite::WriteTransaction::Begin(database_);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  if (auto opened = audit_.Open(); !opened) return opened;
  auto meta = ReadMeta();
  if (!meta) return std::unexpected(std::move(meta.error()));
  if (*meta) {
    if ((*meta)->bank_id == bank_id) return {};
    return Fail(ErrorCode::kInvalidInput, "database " + file_.string() + " belongs to bank " + (*meta)->bank_id +
                                              ", not to " + bank_id + ": name the right file in the configuration");
  }
  insert_meta_.Bind(1, bank_id);
  if (auto inserted = insert_meta_.Run(); !inserted) return inserted;
  return transaction->Commit();
}

Result<std::optional<GatewaySeen>> BankSqlite::LoadGatewaySeen() {
  auto meta = ReadMeta();
  if (!meta) return std::unexpected(std::move(meta.error()));
  return *meta ? (*meta)->gateway_seen : std::nullopt;
}

Result<std::vector<BankTransactionRecord>> BankSqlite::LoadPrepared() {
  auto undecided = sqlite::ReadMany<BankTransactionRecord>(prepared_, &sqlite::ReadBankTransaction);
  if (!undecided) return undecided;
  auto forced = sqlite::ReadMany<BankTransactionRecord>(forced_, &sqlite::ReadBankTransaction);
  if (!forced) return forced;
  std::ranges::move(*forced, std::back_inserter(*undecided));
  std::ranges::sort(*undecided, {}, &BankTransactionRecord::id);
  return undecided;
}

Result<std::vector<HeuristicRecord>> BankSqlite::LoadHeuristics() {
  return sqlite::ReadMany<HeuristicRecord>(heuristics_, &sqlite::ReadHeuristic);
}

Result<BankRows> BankSqlite::Load(const BankKeys& keys) {
  // One read transaction for all keys: cheaper than one for each.
  auto transaction = sqlite::ReadTransaction::Begin(database_);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  BankRows rows;
  rows.transactions.reserve(keys.transactions.size());
  rows.accounts.reserve(keys.accounts.size());
  for (const Uuid& id : keys.transactions) {
    find_transaction_.Bind(1, id.bytes);
    auto found = sqlite::ReadOne<BankTransactionRecord>(find_transaction_, &sqlite::ReadBankTransaction);
    if (!found) return std::unexpected(std::move(found.error()));
    if (!*found) continue;
    rows.transactions.emplace(id, std::move(**found));
    find_trace_.Bind(1, id.bytes);
    auto trace = sqlite::ReadOne<std::string>(find_trace_, &sqlite::ReadTrace);
    if (!trace) return std::unexpected(std::move(trace.error()));
    if (*trace && !(*trace)->empty()) rows.traces.emplace(id, std::move(**trace));
  }
  for (const std::string& account_id : keys.accounts) {
    if (rows.accounts.contains(account_id)) continue;  // most transactions share the clearing accounts
    find_account_.Bind(1, account_id);
    auto found = sqlite::ReadOne<AccountRecord>(find_account_, &sqlite::ReadAccount);
    if (!found) return std::unexpected(std::move(found.error()));
    if (*found) rows.accounts.emplace(account_id, std::move(**found));
  }
  return rows;
}

Status BankSqlite::Commit(const BankRecords& records) {
  if (failed_) return std::unexpected(*failed_);
  Status written = Write(records);
  if (!written && written.error().code == ErrorCode::kInternal) {
    // Nothing was written, so the log ends where it did.
    if (auto reopened = audit_.Open(); !reopened) return reopened;
  }
  if (written) written = checkpointer_->AfterCommit();
  if (!written && written.error().code == ErrorCode::kStorage) failed_ = written.error();
  return written;
}

Status BankSqlite::Write(const BankRecords& records) {
  auto transaction = sqlite::WriteTransaction::Begin(database_);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  auto trace = records.traces.begin();
  for (const BankTransactionRecord& record : records.transactions) {
    const bool with_trace = trace != records.traces.end() && trace->id == record.id;
    if (auto written = WriteTransaction(record, with_trace ? &*trace++ : nullptr); !written) return written;
  }
  for (const AccountRecord& account : records.accounts) {
    if (auto written = WriteAccount(account); !written) return written;
  }
  for (const EntryRecord& entry : records.entries) {
    if (auto written = WriteEntry(entry); !written) return written;
  }
  if (auto added = AddToTotals(records.entries); !added) return added;
  if (records.gateway_seen) {
    if (auto written = WriteGatewaySeen(*records.gateway_seen); !written) return written;
  }
  for (const HeuristicRecord& record : records.heuristics) {
    if (auto written = WriteHeuristic(record); !written) return written;
  }
  const auto append = [this](protocol::AuditRecord record) { return audit_.Append(std::move(record)); };
  if (auto written = audit::ForEachAudit(records, append); !written) return written;
  return transaction->Commit();
}

Status BankSqlite::WriteHeuristic(const HeuristicRecord& record) {
  Statement& put = put_heuristic_;
  put.Bind(1, record.transaction_id.bytes);
  put.Bind(2, static_cast<std::int64_t>(record.state));
  put.Bind(3, static_cast<std::int64_t>(record.decision));
  put.Bind(4, record.proposed_by);
  put.Bind(5, Micros(record.proposed_at));
  put.Bind(6, record.confirmed_by);
  put.Bind(7, Micros(record.forced_at));
  put.Bind(8, Micros(record.decided_at));
  put.Bind(9, record.acknowledged_by);
  put.Bind(10, Micros(record.acknowledged_at));
  return put.Run();
}

Result<bool> BankSqlite::UpdateTransaction(const BankTransactionRecord& record, const TraceRecord* trace) {
  Statement& update = update_transaction_;
  update.Bind(1, record.id.bytes);
  update.Bind(2, static_cast<std::int64_t>(record.state));
  update.Bind(3, Signed(record.epoch));
  update.Bind(4, record.reason_code);
  update.Bind(5, Micros(record.updated_at));
  BindTrace(update, 6, trace);
  if (auto run = update.Run(); !run) return std::unexpected(std::move(run.error()));
  return database_.Changes() == 1;
}

Status BankSqlite::WriteTransaction(const BankTransactionRecord& record, const TraceRecord* trace) {
  // Most transactions begin as kPrepared, so any other state is most likely there already.
  if (record.state != BankTransactionState::kPrepared) {
    auto updated = UpdateTransaction(record, trace);
    if (!updated) return std::unexpected(std::move(updated.error()));
    if (*updated) return {};
  }
  Statement& insert = insert_transaction_;
  insert.Bind(1, record.id.bytes);
  insert.Bind(2, static_cast<std::int64_t>(record.kind));
  insert.Bind(3, static_cast<std::int64_t>(record.state));
  insert.Bind(4, Signed(record.epoch));
  insert.Bind(5, record.gateway_store_id.bytes);
  insert.Bind(6, record.debit_account);
  insert.Bind(7, record.credit_account);
  insert.Bind(8, record.amount.minor_units);
  insert.Bind(9, record.amount.currency.code());
  insert.Bind(10, record.reason_code);
  insert.Bind(11, Micros(record.created_at));
  insert.Bind(12, Micros(record.updated_at));
  BindTrace(insert, 13, trace);
  return insert.Run();
}

Status BankSqlite::WriteAccount(const AccountRecord& account) {
  Statement& update = update_account_;
  update.Bind(1, account.account_id);
  update.Bind(2, static_cast<std::int64_t>(account.status));
  update.Bind(3, account.posted);
  update.Bind(4, account.held);
  update.Bind(5, account.incoming);
  if (auto run = update.Run(); !run) return run;
  if (database_.Changes() == 1) return {};
  Statement& insert = insert_account_;
  insert.Bind(1, account.account_id);
  insert.Bind(2, static_cast<std::int64_t>(account.kind));
  insert.Bind(3, static_cast<std::int64_t>(account.status));
  insert.Bind(4, account.currency.code());
  insert.Bind(5, account.posted);
  insert.Bind(6, account.held);
  insert.Bind(7, account.incoming);
  return insert.Run();
}

Status BankSqlite::WriteEntry(const EntryRecord& entry) {
  insert_entry_.Bind(1, entry.transaction_id.bytes);
  insert_entry_.Bind(2, std::int64_t{entry.line});
  insert_entry_.Bind(3, entry.account_id);
  insert_entry_.Bind(4, entry.amount_minor_units);
  insert_entry_.Bind(5, entry.currency.code());
  insert_entry_.Bind(6, Micros(entry.posted_at));
  return insert_entry_.Run();
}

Status BankSqlite::AddToTotals(const std::vector<EntryRecord>& entries) {
  std::map<Currency, LedgerTotals> sums;
  for (const EntryRecord& entry : entries) sums[entry.currency].Add(entry);
  for (const auto& [currency, sum] : sums) {
    add_to_totals_.Bind(1, currency.code());
    add_to_totals_.Bind(2, sum.debits);
    add_to_totals_.Bind(3, sum.credits);
    if (auto added = add_to_totals_.Run(); !added) return added;
  }
  return {};
}

Status BankSqlite::WriteGatewaySeen(const GatewaySeen& seen) {
  update_seen_.Bind(1, seen.store_id.bytes);
  update_seen_.Bind(2, Signed(seen.sequence));
  return update_seen_.Run();
}

}  // namespace

Result<std::unique_ptr<BankStore>> OpenBankStore(const std::filesystem::path& file) { return BankSqlite::Open(file); }

}  // namespace strife
