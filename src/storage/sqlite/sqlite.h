// The few things Strife needs of SQLite's C API: connections and statements that close themselves, typed values, and
// one place that turns SQLite's codes into an Error naming the file.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace strife::sqlite {

// A prepared statement, to be used again and again. Must be destroyed before its Database.
//
// Bound text and bytes are borrowed: they must stay as they are until Run returns or Reset is called.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  // Parameters count from 1.
  void Bind(int index, std::int64_t value);
  void Bind(int index, std::string_view text);
  void Bind(int index, std::span<const std::uint8_t> bytes);
  void BindNull(int index);

  // True: there is a row, read it with the functions below. False: done.
  Result<bool> Step();
  // Steps to the end and resets; for statements whose rows nobody wants.
  Status Run();
  void Reset();

  // Columns of the current row, counted from 0. Views hold until the next Step or Reset. A value of another type reads
  // as nullopt.
  bool IsNull(int column) const;
  std::optional<std::int64_t> Integer(int column) const;
  std::optional<std::string_view> Text(int column) const;
  std::optional<std::span<const std::uint8_t>> Blob(int column) const;

  // The file this statement reads or writes, for messages.
  std::string File() const;
  bool prepared() const { return handle_ != nullptr; }

 private:
  void NoteBind(int code);

  sqlite3_stmt* handle_ = nullptr;
  int bind_error_ = 0;
};

// Resets a statement at the end of a scope, so that no read transaction stays open behind an early return.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.Reset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  Statement& statement_;
};

// One connection, for one thread at a time.
class Database {
 public:
  enum class Mode { kReadWrite, kReadOnly };
  enum class Control { kBeginRead, kBeginWrite, kCommit, kRollback };

  // The file must exist. Waits at most five seconds for other processes' locks. Triggers, views and unsafe functions of
  // the schema are off: the file may be hostile.
  static Result<Database> Open(const std::filesystem::path& file, Mode mode);
  Database() = default;
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // Runs SQL that is written in the program, never put together from data.
  Status Execute(const char* sql);
  // Compiled at its first use and kept: these come with every batch.
  Status Run(Control control);
  Result<Statement> Prepare(std::string_view sql);
  // First column of the first row.
  Result<std::int64_t> QueryInteger(std::string_view sql);
  Result<std::string> QueryText(std::string_view sql);
  // Rows inserted, updated or deleted by the statement that ran last.
  std::int64_t Changes() const;

  sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
  std::array<Statement, 4> controls_;  // by Control
};

// A write transaction; rolled back unless committed.
class WriteTransaction {
 public:
  static Result<WriteTransaction> Begin(Database& database);
  WriteTransaction(WriteTransaction&& other) noexcept;
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  WriteTransaction& operator=(WriteTransaction&&) = delete;
  ~WriteTransaction();

  // Durable when it returns.
  Status Commit();

 private:
  explicit WriteTransaction(Database& database) : database_(&database) {}

  Database* database_;
};

// A read transaction, so that many small reads cost one; ends with the object.
class ReadTransaction {
 public:
  static Result<ReadTransaction> Begin(Database& database);
  ReadTransaction(ReadTransaction&& other) noexcept;
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction();

 private:
  explicit ReadTransaction(Database& database) : database_(&database) {}

  Database* database_;
};

// What the connection's last failed call means: kInternal when a constraint refused a record, else kStorage.
Error MakeError(sqlite3* connection, int code);
// For a connection that could not be opened and so does not know its file.
Error MakeError(sqlite3* connection, int code, const std::string& file);

}  // namespace strife::sqlite
