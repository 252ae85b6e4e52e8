#include "storage/sqlite/database_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "base/text.h"

namespace strife::sqlite {
namespace {

// A check of this much takes well under a second.
constexpr std::uintmax_t kSmallFileBytes = std::uintmax_t{64} << 20;
constexpr std::size_t kMaxShownBytes = 300;

Status CreateIfMissing(const std::filesystem::path& file) {
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return Fail(ErrorCode::kStorage, "cannot open database " + file.string() + " (" + std::strerror(errno) +
                                         "): check that its folder exists and may be written");
  }
  close(fd);
  return {};
}

Status RequireClean(Database& database, const std::string& pragma, const std::filesystem::path& file) {
  auto verdict = database.QueryText(pragma);
  if (!verdict) return std::unexpected(std::move(verdict.error()));
  if (*verdict == "ok") return {};
  return Fail(ErrorCode::kStorage, "database " + file.string() + " is damaged (" +
                                       Sanitize(verdict->substr(0, verdict->find('\n')), kMaxShownBytes) +
                                       "): keep it aside and restore a backup");
}

Status CheckPages(Database& database, const std::filesystem::path& file, const Schema& schema) {
  std::error_code error;
  if (std::filesystem::file_size(file, error) <= kSmallFileBytes && !error) {
    return RequireClean(database, "PRAGMA quick_check(1)", file);
  }
  for (const char* table : schema.small_tables) {
    if (auto clean = RequireClean(database, std::string("PRAGMA quick_check(") + table + ")", file); !clean) {
      return clean;
    }
  }
  return {};
}

// The version, 0 for a file with nothing in it.
Result<std::int64_t> VersionOf(Database& database, const std::filesystem::path& file, const Schema& schema) {
  auto mark = database.QueryInteger("PRAGMA application_id");
  if (!mark) return mark;
  auto version = database.QueryInteger("PRAGMA user_version");
  if (!version) return version;
  auto objects = database.QueryInteger("SELECT count(*) FROM sqlite_schema");
  if (!objects) return objects;
  if (*mark == 0 && *version == 0 && *objects == 0) return 0;
  if (*mark != schema.application_id || *version < 1) {
    return Fail(ErrorCode::kInvalidInput,
                file.string() + " is not a Strife " + schema.what + ": name another file in the configuration");
  }
  if (*version > static_cast<std::int64_t>(schema.migrations.size())) {
    return Fail(ErrorCode::kInvalidInput, std::string(schema.what) + " " + file.string() + " has version " +
                                              std::to_string(*version) + ", made by a newer Strife than this one (" +
                                              std::to_string(schema.migrations.size()) + "): run that one");
  }
  return version;
}

Status Migrate(Database& database, const std::filesystem::path& file, const Schema& schema) {
  auto transaction = WriteTransaction::Begin(database);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  auto version = VersionOf(database, file, schema);  // again, now that nobody else can be doing the same
  if (!version) return std::unexpected(std::move(version.error()));
  for (auto step = static_cast<std::size_t>(*version); step < schema.migrations.size(); ++step) {
    if (auto done = database.Execute(schema.migrations[step]); !done) return done;
  }
  const std::string stamp = "PRAGMA application_id = " + std::to_string(schema.application_id) +
                            "; PRAGMA user_version = " + std::to_string(schema.migrations.size());
  if (auto done = database.Execute(stamp.c_str()); !done) return done;
  return transaction->Commit();
}

Status RequireSetting(Database& database, const char* pragma, const std::string& wanted,
                      const std::filesystem::path& file) {
  auto found = database.QueryText("SELECT CAST(" + std::string(pragma) + " AS TEXT) FROM pragma_" + pragma);
  if (!found) return std::unexpected(std::move(found.error()));
  if (*found == wanted) return {};
  return Fail(ErrorCode::kStorage,
              "database " + file.string() + " does not take the setting " + pragma + " = " + wanted + " (it stays " +
                  *found + "), without which commits would not survive a power cut: move it to a local disk");
}

Status ConfigureWriter(Database& database, const std::filesystem::path& file) {
  auto set = database.Execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; "
      "PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY");
  if (!set) return set;
  if (auto wal = RequireSetting(database, "journal_mode", "wal", file); !wal) return wal;
  return RequireSetting(database, "synchronous", "2", file);
}

}  // namespace

Result<Database> OpenWriter(const std::filesystem::path& file, const Schema& schema) {
  if (auto created = CreateIfMissing(file); !created) return std::unexpected(std::move(created.error()));
  auto database = Database::Open(file, Database::Mode::kReadWrite);
  if (!database) return database;
  // Whose file it is comes first: nothing of a stranger's file is touched.
  auto version = VersionOf(*database, file, schema);
  if (!version) return std::unexpected(std::move(version.error()));
  if (schema.tolerates_bad_rows) (void)database->Execute("PRAGMA ignore_check_constraints = ON");
  if (auto clean = CheckPages(*database, file, schema); !clean) return std::unexpected(std::move(clean.error()));
  if (schema.tolerates_bad_rows) {
    if (auto set = database->Execute("PRAGMA ignore_check_constraints = OFF"); !set) {
      return std::unexpected(std::move(set.error()));
    }
  }
  if (auto set = ConfigureWriter(*database, file); !set) return std::unexpected(std::move(set.error()));
  if (*version < static_cast<std::int64_t>(schema.migrations.size())) {
    if (auto migrated = Migrate(*database, file, schema); !migrated) {
      return std::unexpected(std::move(migrated.error()));
    }
  }
  return database;
}

Result<Database> OpenReader(const std::filesystem::path& file, const Schema& schema) {
  auto database = Database::Open(file, Database::Mode::kReadOnly);
  if (!database) return database;
  auto version = VersionOf(*database, file, schema);
  if (!version) return std::unexpected(std::move(version.error()));
  if (*version < static_cast<std::int64_t>(schema.migrations.size())) {
    return Fail(ErrorCode::kInvalidInput, std::string(schema.what) + " " + file.string() + " has version " +
                                              std::to_string(*version) + " where " +
                                              std::to_string(schema.migrations.size()) +
                                              " is needed: start its server once, which brings it up to date");
  }
  if (auto set = database->Execute("PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY"); !set) {
    return std::unexpected(std::move(set.error()));
  }
  return database;
}

}  // namespace strife::sqlite
