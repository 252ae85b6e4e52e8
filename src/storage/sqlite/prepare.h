// Helpers for classes that keep prepared statements.
#pragma once

#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "storage/sqlite/sqlite.h"

namespace strife::sqlite {

// Prepares each SQL text into its statement.
inline Status PrepareAll(Database& database, std::initializer_list<std::pair<Statement*, const char*>> statements) {
  for (const auto& [statement, sql] : statements) {
    auto prepared = database.Prepare(sql);
    if (!prepared) return std::unexpected(std::move(prepared.error()));
    *statement = std::move(*prepared);
  }
  return {};
}

// The first row of a bound statement, if there is one; the statement is reset.
template <typename Record, typename Read>
Result<std::optional<Record>> ReadOne(Statement& statement, const Read& read) {
  const ResetAtEnd reset(statement);
  auto row = statement.Step();
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row) return std::nullopt;
  Result<Record> record = read(statement);
  if (!record) return std::unexpected(std::move(record.error()));
  return std::optional<Record>(std::move(*record));
}

// All rows of a bound statement; the statement is reset.
template <typename Record, typename Read>
Result<std::vector<Record>> ReadMany(Statement& statement, const Read& read) {
  const ResetAtEnd reset(statement);
  std::vector<Record> records;
  for (;;) {
    auto row = statement.Step();
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) return records;
    Result<Record> record = read(statement);
    if (!record) return std::unexpected(std::move(record.error()));
    records.push_back(std::move(*record));
  }
}

}  // namespace strife::sqlite
