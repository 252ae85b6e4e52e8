#include "database_image.h"

#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <sstream>

namespace strife::fuzz {
namespace {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using DatabasePtr = std::unique_ptr<sqlite3, Close>;
using StatementPtr = std::unique_ptr<sqlite3_stmt, Close>;

DatabasePtr Open(const std::filesystem::path& file) {
  sqlite3* database = nullptr;
  STRIFE_ASSERT(sqlite3_open(file.c_str(), &database) == SQLITE_OK);
  return DatabasePtr(database);
}

void Execute(sqlite3* database, const std::string& sql) {
  STRIFE_ASSERT(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
}

StatementPtr Prepare(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  STRIFE_ASSERT(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  return StatementPtr(statement);
}

std::vector<std::string> Texts(sqlite3* database, const std::string& sql) {
  std::vector<std::string> texts;
  const StatementPtr statement = Prepare(database, sql);
  while (sqlite3_step(statement.get()) == SQLITE_ROW) {
    texts.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 0)));
  }
  return texts;
}

std::string ReadAll(const std::filesystem::path& file) {
  std::stringstream bytes;
  bytes << std::ifstream(file, std::ios::binary).rdbuf();
  return bytes.str();
}

void WriteAll(const std::filesystem::path& file, std::string_view bytes) {
  for (const char* suffix : {"-wal", "-shm", "-journal", ".lock"}) {
    std::error_code ignored;
    std::filesystem::remove(file.string() + suffix, ignored);
  }
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  STRIFE_ASSERT(out.good());
}

void Remove(std::string& text, std::string_view word) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word)) text.erase(at, word.size());
}

// CREATE TABLE without its constraints, but with its keys.
std::string WithoutConstraints(std::string sql) {
  for (auto at = sql.find("CHECK ("); at != std::string::npos; at = sql.find("CHECK (")) {
    auto end = sql.find('(', at);
    for (int depth = 0; end < sql.size(); ++end) {
      if (sql[end] == '(') ++depth;
      if (sql[end] == ')' && --depth == 0) break;
    }
    // One that stands alone takes the comma before it along.
    const auto before = sql.find_last_not_of(" \n", at - 1);
    const auto from = sql[before] == ',' ? before : at;
    sql.erase(from, end + 1 - from);
  }
  Remove(sql, " NOT NULL");
  Remove(sql, "STRICT, ");
  Remove(sql, " STRICT");
  return sql;
}

void BindAny(sqlite3_stmt* statement, Input& input) {
  switch (input.Index(5)) {
    case 0:
      return;  // NULL
    case 1:
      sqlite3_bind_int64(statement, 1, input.Integer());
      return;
    case 2:
      sqlite3_bind_int64(statement, 1, input.Byte());
      return;
    case 3: {
      const std::string_view text = input.Text();
      sqlite3_bind_text(statement, 1, text.data() == nullptr ? "" : text.data(), static_cast<int>(text.size()),
                        SQLITE_TRANSIENT);
      return;
    }
    default: {
      const std::string_view bytes = input.Text();
      sqlite3_bind_blob(statement, 1, bytes.data() == nullptr ? "" : bytes.data(), static_cast<int>(bytes.size()),
                        SQLITE_TRANSIENT);
      return;
    }
  }
}

void Damage(std::string& bytes, Input& input) {
  while (!input.empty()) {
    const std::size_t position = (input.Byte() + std::size_t{256} * input.Byte() + std::size_t{65536} * input.Byte());
    const std::uint8_t what = input.Byte();
    if (what == 0) {
      bytes.resize(std::min(bytes.size(), position));
    } else if (what == 1) {
      bytes.append(input.Text());
    } else {
      const std::string_view written = input.Take(what % 32u);
      const std::size_t at = bytes.empty() ? 0 : position % bytes.size();
      bytes.replace(at, std::min(written.size(), bytes.size() - at), written);
    }
  }
}

}  // namespace

DatabaseImage::DatabaseImage(const Scratch& scratch, const std::function<void(const std::filesystem::path&)>& make) {
  const std::filesystem::path file = scratch / "image.db";
  make(file);
  Execute(Open(file).get(), "PRAGMA journal_mode = DELETE");  // so that all of it is in one file
  image_ = ReadAll(file);
  Loosen(file);
  loose_image_ = ReadAll(file);
}

void DatabaseImage::Loosen(const std::filesystem::path& file) {
  const DatabasePtr database = Open(file);
  sqlite3_db_config(database.get(), SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
  Execute(database.get(), "PRAGMA writable_schema = ON");
  const std::string tables = " FROM sqlite_schema WHERE type = 'table' ORDER BY name";
  for (const std::string& table : Texts(database.get(), "SELECT name" + tables)) {
    const auto names = Texts(database.get(), "SELECT name FROM pragma_table_info('" + table + "')");
    for (const std::string& name : names) columns_.push_back({table, names.front(), name});
  }
  for (const std::string& sql : Texts(database.get(), "SELECT sql" + tables)) {
    const StatementPtr update = Prepare(database.get(), "UPDATE sqlite_schema SET sql = ?1 WHERE sql = ?2");
    const std::string loose = WithoutConstraints(sql);
    sqlite3_bind_text(update.get(), 1, loose.c_str(), -1, SQLITE_STATIC);
    sqlite3_bind_text(update.get(), 2, sql.c_str(), -1, SQLITE_STATIC);
    STRIFE_ASSERT(sqlite3_step(update.get()) == SQLITE_DONE);
  }
}

void DatabaseImage::PutValues(const std::filesystem::path& file, Input& input) const {
  const DatabasePtr database = Open(file);
  Execute(database.get(), "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
  for (int changes = 0; changes < 16 && !input.empty(); ++changes) {
    const Column& column = columns_.at(input.Index(columns_.size()));
    // The key of a row as well.
    const StatementPtr update = Prepare(database.get(), "UPDATE OR REPLACE " + column.table + " SET " + column.name +
                                                            " = ?1 WHERE " + column.key + " = (SELECT " + column.key +
                                                            " FROM " + column.table + " LIMIT 1 OFFSET ?2)");
    sqlite3_bind_int(update.get(), 2, input.Byte() % 4);
    BindAny(update.get(), input);
    sqlite3_step(update.get());  // what SQLite does not take, such as a key that is NULL, stays as it was
  }
}

void DatabaseImage::WriteChanged(const std::filesystem::path& file, Input& input) const {
  if (input.Byte() % 2 == 1) {
    WriteAll(file, loose_image_);
    PutValues(file, input);
    return;
  }
  std::string bytes = image_;
  Damage(bytes, input);
  WriteAll(file, bytes);
}

}  // namespace strife::fuzz
