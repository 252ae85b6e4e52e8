#include "storage/sqlite/sqlite.h"

#include <sqlite3.h>

#include <cstring>
#include <mutex>
#include <utility>

#include "base/text.h"
#include "storage/sqlite/page_cache.h"
#include "storage/sqlite/wal_vfs.h"

namespace strife::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;
constexpr std::size_t kMaxShownBytes = 300;

std::string FileOf(sqlite3* connection) {
  const char* name = connection == nullptr ? nullptr : sqlite3_db_filename(connection, "main");
  return name == nullptr ? std::string("(unknown)") : std::string(name);
}

const char* Advice(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the file is damaged or not a database: keep it aside and restore a backup";
    case SQLITE_FULL:
      return "free some disk space and start again";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process is in the middle of writing the file: end that process and start again";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return "check that the file exists and that the file and its folder may be read and written";
    default:
      return "check the disk and start again";
  }
}

// Settings of the library, which must come before anything else is done with it.
void ConfigureOnce() {
  static std::once_flag done;
  std::call_once(done, [] {
    // Nobody asks SQLite how much memory it uses, and counting costs a lock for each allocation.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_pcache_methods2 its_own{};
    if (sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &its_own) != SQLITE_OK) return;
    sqlite3_pcache_methods2 sparing = SparingPageCache(its_own);
    sqlite3_config(SQLITE_CONFIG_PCACHE2, &sparing);
  });
}

// SQLite reads a null pointer as NULL, where an empty text or blob is meant.
template <typename T>
const T* NeverNull(const T* data) {
  static constexpr T kNothing{};
  return data == nullptr ? &kNothing : data;
}

}  // namespace

Error MakeError(sqlite3* connection, int code) { return MakeError(connection, code, FileOf(connection)); }

Error MakeError(sqlite3* connection, int code, const std::string& file) {
  // SQLite quotes from the file, which may hold anything.
  const std::string text =
      Sanitize(connection == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection), kMaxShownBytes);
  if ((code & 0xff) == SQLITE_CONSTRAINT) {
    return {ErrorCode::kInternal, "database " + file + " refused a record (" + text + "): this is a bug, report it"};
  }
  std::string cause = text;
  const int system_error = connection == nullptr ? 0 : sqlite3_system_errno(connection);
  if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN) {
    if (system_error != 0) cause += std::string(", ") + std::strerror(system_error);
  }
  return {ErrorCode::kStorage, "database " + file + " failed (" + cause + "): " + Advice(code)};
}

// ---- Statement
// -------------------------------------------------------------------------------------------------------

Statement::Statement(Statement&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), bind_error_(std::exchange(other.bind_error_, SQLITE_OK)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(bind_error_, other.bind_error_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(handle_); }

void Statement::NoteBind(int code) {
  if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
}

void Statement::Bind(int index, std::int64_t value) { NoteBind(sqlite3_bind_int64(handle_, index, value)); }

void Statement::Bind(int index, std::string_view text) {
  NoteBind(sqlite3_bind_text64(handle_, index, NeverNull(text.data()), text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::Bind(int index, std::span<const std::uint8_t> bytes) {
  NoteBind(sqlite3_bind_blob64(handle_, index, NeverNull(bytes.data()), bytes.size(), SQLITE_STATIC));
}

void Statement::BindNull(int index) { NoteBind(sqlite3_bind_null(handle_, index)); }

Result<bool> Statement::Step() {
  const int code = bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error error = MakeError(sqlite3_db_handle(handle_), code);
  Reset();
  return std::unexpected(std::move(error));
}

Status Statement::Run() {
  Result<bool> row = true;
  while (row && *row) row = Step();
  if (!row) return std::unexpected(std::move(row.error()));
  Reset();
  return {};
}

void Statement::Reset() {
  sqlite3_reset(handle_);
  bind_error_ = SQLITE_OK;
}

bool Statement::IsNull(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

std::optional<std::int64_t> Statement::Integer(int column) const {
  if (sqlite3_column_type(handle_, column) != SQLITE_INTEGER) return std::nullopt;
  return sqlite3_column_int64(handle_, column);
}

std::optional<std::string_view> Statement::Text(int column) const {
  if (sqlite3_column_type(handle_, column) != SQLITE_TEXT) return std::nullopt;
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (data == nullptr) return std::nullopt;
  return std::string_view(data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

std::optional<std::span<const std::uint8_t>> Statement::Blob(int column) const {
  if (sqlite3_column_type(handle_, column) != SQLITE_BLOB) return std::nullopt;
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_, column));
  if (data == nullptr) return std::span<const std::uint8_t>();
  return std::span(data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

std::string Statement::File() const { return FileOf(sqlite3_db_handle(handle_)); }

// ---- Database
// --------------------------------------------------------------------------------------------------------

Result<Database> Database::Open(const std::filesystem::path& file, Mode mode) {
  ConfigureOnce();
  const bool writes = mode == Mode::kReadWrite;
  const int flags = (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
  Database database;
  const int code = sqlite3_open_v2(file.c_str(), &database.handle_, flags, writes ? WalVfs() : nullptr);
  if (code != SQLITE_OK) return std::unexpected(MakeError(database.handle_, code, file.string()));
  sqlite3_extended_result_codes(database.handle_, 1);
  sqlite3_busy_timeout(database.handle_, kBusyTimeoutMs);
  for (const auto& [option, value] :
       {std::pair(SQLITE_DBCONFIG_ENABLE_TRIGGER, 0), std::pair(SQLITE_DBCONFIG_ENABLE_VIEW, 0),
        std::pair(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0), std::pair(SQLITE_DBCONFIG_DEFENSIVE, 1)}) {
    sqlite3_db_config(database.handle_, option, value, nullptr);
  }
  if (auto set = database.Execute("PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON"); !set) {
    return std::unexpected(std::move(set.error()));
  }
  return database;
}

Database::Database(Database&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), controls_(std::move(other.controls_)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(controls_, other.controls_);
  return *this;
}

// Statements that outlive it keep the connection open until they go.
Database::~Database() { sqlite3_close_v2(handle_); }

Status Database::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(MakeError(handle_, code));
  return {};
}

Status Database::Run(Control control) {
  static constexpr std::array<std::string_view, 4> kSql = {"BEGIN", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"};
  const auto at = static_cast<std::size_t>(control);
  if (!controls_[at].prepared()) {
    auto statement = Prepare(kSql[at]);
    if (!statement) return std::unexpected(std::move(statement.error()));
    controls_[at] = std::move(*statement);
  }
  return controls_[at].Run();
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  if (code != SQLITE_OK) return std::unexpected(MakeError(handle_, code));
  return Statement(statement);
}

Result<std::int64_t> Database::QueryInteger(std::string_view sql) {
  auto statement = Prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  auto row = statement->Step();
  if (!row) return std::unexpected(std::move(row.error()));
  return *row ? statement->Integer(0).value_or(0) : 0;
}

Result<std::string> Database::QueryText(std::string_view sql) {
  auto statement = Prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  auto row = statement->Step();
  if (!row) return std::unexpected(std::move(row.error()));
  return *row ? std::string(statement->Text(0).value_or("")) : std::string();
}

std::int64_t Database::Changes() const { return sqlite3_changes64(handle_); }

// ---- WriteTransaction
// ------------------------------------------------------------------------------------------------

Result<WriteTransaction> WriteTransaction::Begin(Database& database) {
  if (auto begun = database.Run(Database::Control::kBeginWrite); !begun)
    return std::unexpected(std::move(begun.error()));
  return WriteTransaction(database);
}

WriteTransaction::WriteTransaction(WriteTransaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

WriteTransaction::~WriteTransaction() {
  if (database_ != nullptr && sqlite3_get_autocommit(database_->handle()) == 0)
    (void)database_->Run(Database::Control::kRollback);
}

Status WriteTransaction::Commit() {
  if (auto committed = database_->Run(Database::Control::kCommit); !committed) return committed;
  database_ = nullptr;
  return {};
}

// ---- ReadTransaction
// -------------------------------------------------------------------------------------------------

Result<ReadTransaction> ReadTransaction::Begin(Database& database) {
  if (auto begun = database.Run(Database::Control::kBeginRead); !begun)
    return std::unexpected(std::move(begun.error()));
  return ReadTransaction(database);
}

ReadTransaction::ReadTransaction(ReadTransaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

ReadTransaction::~ReadTransaction() {
  if (database_ != nullptr) (void)database_->Run(Database::Control::kRollback);
}

}  // namespace strife::sqlite
