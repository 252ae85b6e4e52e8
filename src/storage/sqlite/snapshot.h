// Read snapshots and the cursors that walk them.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "env/cursor.h"
#include "storage/sqlite/reader_pool.h"
#include "storage/sqlite/sqlite.h"

namespace strife::sqlite {

// A read transaction on a lent connection; ends with the object.
template <typename Connection>
class ReadSnapshot {
 public:
  using Lease = typename ReaderPool<Connection>::Lease;

  static Result<std::shared_ptr<ReadSnapshot>> Begin(Lease lease) {
    std::shared_ptr<ReadSnapshot> snapshot(new ReadSnapshot(std::move(lease)));
    if (auto begun = snapshot->database().Execute("BEGIN"); !begun) return std::unexpected(std::move(begun.error()));
    // BEGIN alone reads nothing; the first read fixes the moment.
    auto fixed = snapshot->database().QueryInteger("SELECT count(*) FROM meta");
    if (!fixed) return std::unexpected(std::move(fixed.error()));
    return snapshot;
  }
  ~ReadSnapshot() { (void)database().Execute("ROLLBACK"); }
  ReadSnapshot(const ReadSnapshot&) = delete;
  ReadSnapshot& operator=(const ReadSnapshot&) = delete;

  Database& database() { return lease_->database; }

 private:
  explicit ReadSnapshot(Lease lease) : lease_(std::move(lease)) {}

  Lease lease_;
};

// `read` turns the statement's current row into a record.
template <typename Connection, typename Record>
class StatementCursor final : public Cursor<Record> {
 public:
  using Read = Result<Record> (*)(const Statement&);

  static Result<std::unique_ptr<Cursor<Record>>> Open(std::shared_ptr<ReadSnapshot<Connection>> snapshot,
                                                      std::string_view sql, Read read) {
    auto statement = snapshot->database().Prepare(sql);
    if (!statement) return std::unexpected(std::move(statement.error()));
    return Over(std::move(snapshot), std::move(*statement), read);
  }

  // `statement` is one of the snapshot's, bound.
  static std::unique_ptr<Cursor<Record>> Over(std::shared_ptr<ReadSnapshot<Connection>> snapshot, Statement statement,
                                              Read read) {
    return std::unique_ptr<Cursor<Record>>(new StatementCursor(std::move(snapshot), std::move(statement), read));
  }

  Result<std::optional<Record>> Next() override {
    auto row = statement_.Step();
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) return std::nullopt;
    auto record = read_(statement_);
    if (!record) return std::unexpected(std::move(record.error()));
    return std::optional<Record>(std::move(*record));
  }

 private:
  StatementCursor(std::shared_ptr<ReadSnapshot<Connection>> snapshot, Statement statement, Read read)
      : snapshot_(std::move(snapshot)), statement_(std::move(statement)), read_(read) {}

  std::shared_ptr<ReadSnapshot<Connection>> snapshot_;  // outlives the statement
  Statement statement_;
  Read read_;
};

}  // namespace strife::sqlite
