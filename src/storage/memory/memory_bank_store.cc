#include "storage/memory/memory_bank_store.h"

#include <set>
#include <utility>

#include "audit/audit_of.h"
#include "storage/memory/vector_cursor.h"

namespace strife {
namespace {

using protocol::AccountKind;
using protocol::AccountRecord;
using protocol::BankTransactionRecord;
using protocol::BankTransactionState;
using protocol::EntryRecord;
using protocol::HeuristicRecord;
using protocol::HeuristicState;

void Upsert(std::map<Uuid, BankTransactionRecord>& transactions, const BankTransactionRecord& transaction) {
  const auto [place, inserted] = transactions.try_emplace(transaction.id, transaction);
  if (inserted) return;
  BankTransactionRecord& known = place->second;
  known.state = transaction.state;
  known.epoch = transaction.epoch;
  known.reason_code = transaction.reason_code;
  known.updated_at = transaction.updated_at;
}

void Upsert(std::map<std::string, AccountRecord>& accounts, const AccountRecord& account) {
  const auto [place, inserted] = accounts.try_emplace(account.account_id, account);
  if (inserted) return;
  AccountRecord& known = place->second;
  known.status = account.status;
  known.posted = account.posted;
  known.held = account.held;
  known.incoming = account.incoming;
}

template <typename Map>
auto Values(const Map& map) {
  std::vector<typename Map::mapped_type> values;
  values.reserve(map.size());
  for (const auto& [key, value] : map) values.push_back(value);
  return values;
}

class MemoryBankStore final : public BankStore {
 public:
  explicit MemoryBankStore(std::shared_ptr<MemoryBankDisk> disk) : disk_(std::move(disk)) {}

  Status Open(const std::string& bank_id) override {
    Status status;
    disk_->Access([&](MemoryBankContents& contents) {
      if (!contents.bank_id) contents.bank_id = bank_id;
      if (*contents.bank_id == bank_id) return;
      status = Fail(ErrorCode::kInvalidInput, "the memory disk belongs to bank " + *contents.bank_id + ", not to " +
                                                  bank_id + ": open the right one");
    });
    return status;
  }

  Result<std::optional<GatewaySeen>> LoadGatewaySeen() override {
    std::optional<GatewaySeen> seen;
    disk_->Access([&](MemoryBankContents& contents) { seen = contents.gateway_seen; });
    return seen;
  }

  Result<std::vector<BankTransactionRecord>> LoadPrepared() override {
    std::vector<BankTransactionRecord> undecided;
    disk_->Access([&](MemoryBankContents& contents) {
      for (const auto& [id, transaction] : contents.transactions) {
        const auto forced = contents.heuristics.find(id);
        if (transaction.state == BankTransactionState::kPrepared ||
            (forced != contents.heuristics.end() && forced->second.state == HeuristicState::kForced)) {
          undecided.push_back(transaction);
        }
      }
    });
    return undecided;
  }

  Result<std::vector<HeuristicRecord>> LoadHeuristics() override {
    std::vector<HeuristicRecord> heuristics;
    disk_->Access([&](MemoryBankContents& contents) {
      for (const auto& [id, record] : contents.heuristics) {
        if (record.state != HeuristicState::kAgreed) heuristics.push_back(record);
      }
    });
    return heuristics;
  }

  Result<BankRows> Load(const BankKeys& keys) override {
    BankRows rows;
    disk_->Access([&](MemoryBankContents& contents) {
      for (const Uuid& id : keys.transactions) {
        const auto found = contents.transactions.find(id);
        if (found == contents.transactions.end()) continue;
        rows.transactions.insert(*found);
        if (const auto trace = contents.traces.find(id); trace != contents.traces.end()) rows.traces.insert(*trace);
      }
      for (const std::string& id : keys.accounts) {
        if (const auto found = contents.accounts.find(id); found != contents.accounts.end()) {
          rows.accounts.insert(*found);
        }
      }
    });
    return rows;
  }

  Status Commit(const BankRecords& records) override {
    if (failed_) return std::unexpected(*failed_);
    Status written = disk_->Commit(records);
    if (!written && written.error().code == ErrorCode::kStorage) failed_ = written.error();
    return written;
  }

 private:
  std::shared_ptr<MemoryBankDisk> disk_;
  std::optional<Error> failed_;
};

class MemoryBankSnapshot final : public BankSnapshot {
 public:
  explicit MemoryBankSnapshot(MemoryBankContents contents) : contents_(std::move(contents)) {}

  Result<std::unique_ptr<Cursor<BankTransactionRecord>>> Transactions() override {
    return std::make_unique<VectorCursor<BankTransactionRecord>>(Values(contents_.transactions));
  }
  Result<std::unique_ptr<Cursor<EntryRecord>>> Entries() override {
    return std::make_unique<VectorCursor<EntryRecord>>(Values(contents_.entries));
  }
  Result<std::unique_ptr<Cursor<AccountRecord>>> Accounts() override {
    return std::make_unique<VectorCursor<AccountRecord>>(Values(contents_.accounts));
  }
  Result<std::unique_ptr<Cursor<HeuristicRecord>>> Heuristics() override {
    return std::make_unique<VectorCursor<HeuristicRecord>>(Values(contents_.heuristics));
  }
  Result<std::string> BankId() override { return contents_.bank_id.value_or(std::string()); }
  Result<std::vector<LedgerTotals>> RunningSums() override {
    std::map<Currency, LedgerTotals> sums;
    for (const auto& [key, entry] : contents_.entries) sums[entry.currency].Add(entry);
    return Values(sums);
  }

 private:
  const MemoryBankContents contents_;
};

class MemoryBankReader final : public BankReader {
 public:
  explicit MemoryBankReader(std::shared_ptr<MemoryBankDisk> disk) : disk_(std::move(disk)) {}

  Result<std::optional<AccountRecord>> FindAccount(const std::string& account_id) override {
    std::optional<AccountRecord> account;
    disk_->Access([&](MemoryBankContents& contents) {
      const auto found = contents.accounts.find(account_id);
      if (found != contents.accounts.end()) account = found->second;
    });
    return account;
  }

  Result<std::optional<BankTransactionRecord>> FindTransaction(const Uuid& id) override {
    std::optional<BankTransactionRecord> transaction;
    disk_->Access([&](MemoryBankContents& contents) {
      const auto found = contents.transactions.find(id);
      if (found != contents.transactions.end()) transaction = found->second;
    });
    return transaction;
  }

  Result<std::string> FindTrace(const Uuid& id) override {
    std::string bytes;
    disk_->Access([&](MemoryBankContents& contents) {
      if (const auto found = contents.traces.find(id); found != contents.traces.end()) bytes = found->second;
    });
    return bytes;
  }

  Result<std::vector<LedgerTotals>> Totals() override {
    std::map<Currency, LedgerTotals> totals;
    disk_->Access([&](MemoryBankContents& contents) {
      for (const auto& [id, account] : contents.accounts) totals[account.currency].Add(account);
      for (const auto& [key, entry] : contents.entries) totals[entry.currency].Add(entry);
    });
    return Values(totals);
  }

  Result<std::unique_ptr<BankSnapshot>> Snapshot() override {
    MemoryBankContents copy;
    disk_->Access([&](MemoryBankContents& contents) { copy = contents; });
    return std::make_unique<MemoryBankSnapshot>(std::move(copy));
  }

  Result<std::unique_ptr<AuditSnapshot>> Audit() override {
    MemoryAuditLog log;
    disk_->Access([&](MemoryBankContents& contents) { log = contents.audit; });
    return std::make_unique<MemoryAuditSnapshot>(std::move(log));
  }

 private:
  std::shared_ptr<MemoryBankDisk> disk_;
};

Status Refuse(const std::string& what) { return Fail(ErrorCode::kInternal, what + ": this is a bug"); }

}  // namespace

void MemoryBankDisk::FailCommit(std::uint64_t nth, CommitFault fault) {
  const std::scoped_lock lock(mutex_);
  fault_.Set(nth, fault);
}

void MemoryBankDisk::Access(const std::function<void(MemoryBankContents&)>& use) {
  const std::scoped_lock lock(mutex_);
  use(contents_);
}

// The same refusals as the checks of the SQLite schema.
Status MemoryBankDisk::Check(const BankRecords& records) const {
  for (const BankTransactionRecord& transaction : records.transactions) {
    if (transaction.state == BankTransactionState::kAborted) continue;
    if (transaction.amount.minor_units <= 0 ||
        (transaction.debit_account.empty() && transaction.credit_account.empty())) {
      return Refuse("transaction " + transaction.id.ToString() + " moves nothing");
    }
  }
  for (const AccountRecord& account : records.accounts) {
    const bool customer = account.kind == AccountKind::kCustomer;
    if (account.held < 0 || account.incoming < 0 || (customer && account.posted < account.held)) {
      return Refuse("account " + account.account_id + " is overdrawn or has a negative hold");
    }
  }
  std::set<std::pair<Uuid, std::uint8_t>> lines;
  for (const EntryRecord& entry : records.entries) {
    const std::pair key(entry.transaction_id, entry.line);
    if (entry.amount_minor_units == 0 || contents_.entries.contains(key) || !lines.insert(key).second) {
      return Refuse("entry " + std::to_string(entry.line) + " of transaction " + entry.transaction_id.ToString() +
                    " exists already or is empty");
    }
  }
  return {};
}

Status MemoryBankDisk::Commit(const BankRecords& records) {
  const std::scoped_lock lock(mutex_);
  const bool fails = fault_.Due();
  if (fails && fault_.fault() == CommitFault::kBeforeEffect) {
    return Fail(ErrorCode::kStorage, "the memory disk failed before the commit, as planned: restart");
  }
  if (auto valid = Check(records); !valid) return valid;
  for (const BankTransactionRecord& transaction : records.transactions) Upsert(contents_.transactions, transaction);
  for (const protocol::TraceRecord& trace : records.traces) contents_.traces[trace.id] = trace.bytes;
  for (const AccountRecord& account : records.accounts) Upsert(contents_.accounts, account);
  for (const EntryRecord& entry : records.entries) {
    contents_.entries.emplace(std::pair(entry.transaction_id, entry.line), entry);
  }
  if (records.gateway_seen) contents_.gateway_seen = records.gateway_seen;
  for (const HeuristicRecord& record : records.heuristics) contents_.heuristics[record.transaction_id] = record;
  const auto append = [this](protocol::AuditRecord record) -> Status {
    contents_.audit.Append(std::move(record));
    return {};
  };
  static_cast<void>(audit::ForEachAudit(records, append));
  if (fails) return Fail(ErrorCode::kStorage, "the memory disk failed after the commit, as planned: restart");
  return {};
}

std::unique_ptr<BankStore> OpenMemoryBankStore(std::shared_ptr<MemoryBankDisk> disk) {
  return std::make_unique<MemoryBankStore>(std::move(disk));
}

std::unique_ptr<BankReader> OpenMemoryBankReader(std::shared_ptr<MemoryBankDisk> disk) {
  return std::make_unique<MemoryBankReader>(std::move(disk));
}

}  // namespace strife
