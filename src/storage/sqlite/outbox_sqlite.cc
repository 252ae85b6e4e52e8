#include "storage/sqlite/outbox_sqlite.h"

#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "storage/sqlite/bind.h"
#include "storage/sqlite/outbox_rows.h"
#include "storage/sqlite/outbox_schema.h"
#include "storage/sqlite/prepare.h"

namespace strife {
namespace {

using protocol::kOutboxWindow;
using sqlite::BindOptional;
using sqlite::Database;
using sqlite::Micros;
using sqlite::ReadOutboxItem;
using sqlite::Signed;
using sqlite::Statement;

class OutboxSqlite final : public OutboxStore {
 public:
  static Result<std::unique_ptr<OutboxStore>> Open(const std::filesystem::path& file) {
    auto database = sqlite::OpenWriter(file, sqlite::kOutboxSchema);
    if (!database) return std::unexpected(std::move(database.error()));
    // A queue is small: moving the log into the file now and then, between two payments, is quick.
    if (auto set = database->Execute("PRAGMA wal_autocheckpoint = 1000"); !set) {
      return std::unexpected(std::move(set.error()));
    }
    std::unique_ptr<OutboxSqlite> store(new OutboxSqlite(std::move(*database)));
    auto prepared = sqlite::PrepareAll(store->database_, {{&store->find_, sqlite::kFindItem},
                                                          {&store->waiting_, sqlite::kWaitingItems},
                                                          {&store->followed_, sqlite::kFollowedItems},
                                                          {&store->count_, sqlite::kCountItems},
                                                          {&store->update_, sqlite::kUpdateItem},
                                                          {&store->insert_, sqlite::kInsertItem},
                                                          {&store->remove_, sqlite::kRemoveItem},
                                                          {&store->remove_ended_, sqlite::kRemoveEndedItems}});
    if (!prepared) return std::unexpected(std::move(prepared.error()));
    return std::unique_ptr<OutboxStore>(std::move(store));
  }

  Result<OutboxRows> Load(const OutboxKeys& keys) override {
    STRIFE_ASSERT(!cycle_);
    if (failed_) return std::unexpected(*failed_);
    auto begun = sqlite::WriteTransaction::Begin(database_);
    if (!begun) return std::unexpected(std::move(begun.error()));
    cycle_.emplace(std::move(*begun));
    auto rows = Read(keys);
    if (!rows) cycle_.reset();
    return rows;
  }

  Status Commit(const OutboxRecords& records) override {
    STRIFE_ASSERT(cycle_);
    Status done = Write(records);
    if (done) done = cycle_->Commit();
    cycle_.reset();
    if (!done && done.error().code == ErrorCode::kStorage) failed_ = done.error();
    return done;
  }

  void Release() override { cycle_.reset(); }

 private:
  explicit OutboxSqlite(Database database) : database_(std::move(database)) {}

  Result<OutboxRows> Read(const OutboxKeys& keys);
  Status ReadCounts(const std::string& user, OutboxRows& rows);
  Status Write(const OutboxRecords& records);
  Status WriteItem(const OutboxItem& item);

  Database database_;
  Statement find_, waiting_, followed_, count_, update_, insert_, remove_, remove_ended_;
  std::optional<sqlite::WriteTransaction> cycle_;
  std::optional<Error> failed_;
};

Result<OutboxRows> OutboxSqlite::Read(const OutboxKeys& keys) {
  OutboxRows rows;
  if (auto counted = ReadCounts(keys.user, rows); !counted) return std::unexpected(std::move(counted.error()));
  for (const Uuid& id : keys.ids) {
    find_.Bind(1, id.bytes);
    auto item = sqlite::ReadOne<OutboxItem>(find_, &ReadOutboxItem);
    if (!item) return std::unexpected(std::move(item.error()));
    if (*item) rows.items.emplace((*item)->sequence, std::move(**item));
  }
  for (Statement* statement : {&waiting_, &followed_}) {
    statement->Bind(1, keys.user);
    statement->Bind(2, Signed(kOutboxWindow));
    auto items = sqlite::ReadMany<OutboxItem>(*statement, &ReadOutboxItem);
    if (!items) return std::unexpected(std::move(items.error()));
    if (statement == &waiting_ && items->size() < rows.waiting) rows.complete_to = items->back().sequence;
    for (OutboxItem& item : *items) rows.items.emplace(item.sequence, std::move(item));
  }
  return rows;
}

Status OutboxSqlite::ReadCounts(const std::string& user, OutboxRows& rows) {
  const sqlite::ResetAtEnd reset(count_);
  count_.Bind(1, user);
  auto row = count_.Step();
  if (!row) return std::unexpected(std::move(row.error()));
  rows.waiting = static_cast<std::size_t>(count_.Integer(0).value_or(0));
  rows.open = static_cast<std::size_t>(count_.Integer(1).value_or(0));
  rows.last_sequence = static_cast<std::uint64_t>(count_.Integer(2).value_or(0));
  rows.complete_to = std::numeric_limits<std::uint64_t>::max();
  return {};
}

Status OutboxSqlite::Write(const OutboxRecords& records) {
  for (const OutboxItem& item : records.items) {
    if (auto written = WriteItem(item); !written) return written;
  }
  for (const std::uint64_t sequence : records.removed) {
    remove_.Bind(1, Signed(sequence));
    if (auto removed = remove_.Run(); !removed) return removed;
  }
  if (!records.remove_ended) return {};
  remove_ended_.Bind(1, records.remove_ended->user);
  remove_ended_.Bind(2, Micros(records.remove_ended->before));
  return remove_ended_.Run();
}

Status OutboxSqlite::WriteItem(const OutboxItem& item) {
  const auto bind_what_changes = [&](Statement& statement) {
    statement.Bind(1, Signed(item.sequence));
    statement.Bind(2, static_cast<std::int64_t>(item.state));
    statement.Bind(3, item.may_have_arrived ? 1 : 0);
    statement.Bind(4, std::int64_t{item.attempts});
    statement.Bind(5, static_cast<std::int64_t>(item.payment_state));
    statement.Bind(6, item.reason_code);
    statement.Bind(7, item.message);
    statement.Bind(8, Micros(item.updated_at));
    statement.Bind(9, item.told ? 1 : 0);
    BindOptional(statement, 10, item.first_sent_at);
    BindOptional(statement, 11, item.last_sent_at);
  };
  bind_what_changes(update_);
  if (auto updated = update_.Run(); !updated) return updated;
  if (database_.Changes() == 1) return {};
  bind_what_changes(insert_);
  const protocol::PaymentOrder& order = item.order;
  insert_.Bind(12, order.id.bytes);
  insert_.Bind(13, order.payer);
  insert_.Bind(14, order.from.bank_id);
  insert_.Bind(15, order.from.account_id);
  insert_.Bind(16, order.to.bank_id);
  insert_.Bind(17, order.to.account_id);
  insert_.Bind(18, order.amount.minor_units);
  insert_.Bind(19, order.amount.currency.code());
  insert_.Bind(20, order.memo);
  insert_.Bind(21, Micros(item.queued_at));
  BindOptional(insert_, 22, item.expires_at);
  return insert_.Run();
}

class OutboxReaderSqlite final : public OutboxReader {
 public:
  static Result<std::unique_ptr<OutboxReader>> Open(const std::filesystem::path& file) {
    auto database = sqlite::OpenReader(file, sqlite::kOutboxSchema);
    if (!database) return std::unexpected(std::move(database.error()));
    std::unique_ptr<OutboxReaderSqlite> reader(new OutboxReaderSqlite(std::move(*database)));
    auto prepared = sqlite::PrepareAll(reader->database_, {{&reader->find_, sqlite::kFindItem},
                                                           {&reader->list_, sqlite::kListItems},
                                                           {&reader->untold_, sqlite::kUntoldItems}});
    if (!prepared) return std::unexpected(std::move(prepared.error()));
    return std::unique_ptr<OutboxReader>(std::move(reader));
  }

  Result<std::vector<OutboxItem>> List(const std::string& user, std::uint64_t after, int limit) override {
    const std::scoped_lock lock(mutex_);
    list_.Bind(1, user);
    list_.Bind(2, Signed(after));
    list_.Bind(3, limit);
    return sqlite::ReadMany<OutboxItem>(list_, &ReadOutboxItem);
  }

  Result<std::optional<OutboxItem>> Find(const Uuid& id) override {
    const std::scoped_lock lock(mutex_);
    find_.Bind(1, id.bytes);
    return sqlite::ReadOne<OutboxItem>(find_, &ReadOutboxItem);
  }

  Result<std::vector<OutboxItem>> Untold(const std::string& user, int limit) override {
    const std::scoped_lock lock(mutex_);
    untold_.Bind(1, user);
    untold_.Bind(2, limit);
    return sqlite::ReadMany<OutboxItem>(untold_, &ReadOutboxItem);
  }

 private:
  explicit OutboxReaderSqlite(Database database) : database_(std::move(database)) {}

  std::mutex mutex_;
  Database database_;  // guarded by mutex_, as are the statements
  Statement find_, list_, untold_;
};

}  // namespace

Result<std::unique_ptr<OutboxStore>> OpenOutboxStore(const std::filesystem::path& file) {
  return OutboxSqlite::Open(file);
}

Result<std::unique_ptr<OutboxReader>> OpenOutboxReader(const std::filesystem::path& file) {
  return OutboxReaderSqlite::Open(file);
}

}  // namespace strife
