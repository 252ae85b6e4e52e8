#include "storage/sqlite/row.h"

#include <limits>

#include "base/limits.h"
#include "base/text.h"

namespace strife::sqlite {
namespace {

// Longer than any text Strife writes; keeps a hostile row from filling the memory.
constexpr std::size_t kMaxTextBytes = 16384;
constexpr std::size_t kMaxShownKeyBytes = 80;

std::string Hex(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes.first(std::min(bytes.size(), kMaxShownKeyBytes / 2))) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string ShowKey(const Statement& statement) {
  if (const auto text = statement.Text(0)) return Sanitize(*text, kMaxShownKeyBytes);
  if (const auto integer = statement.Integer(0)) return std::to_string(*integer);
  const auto blob = statement.Blob(0);
  if (!blob) return "(no key)";
  if (blob->size() != 16) return Hex(*blob);
  Uuid id;
  std::copy(blob->begin(), blob->end(), id.bytes.begin());
  return id.ToString();
}

}  // namespace

std::int64_t Row::Integer(int column) {
  const auto value = statement_.Integer(column);
  if (!value) Malformed(column);
  return value.value_or(0);
}

std::uint64_t Row::Unsigned(int column) {
  return static_cast<std::uint64_t>(IntegerBetween(column, 0, std::numeric_limits<std::int64_t>::max()));
}

std::int64_t Row::IntegerBetween(int column, std::int64_t least, std::int64_t most) {
  const std::int64_t value = Integer(column);
  if (value < least || value > most) Malformed(column);
  return std::clamp(value, least, most);
}

std::string Row::Text(int column) {
  const auto value = statement_.Text(column);
  if (!value || value->size() > kMaxTextBytes || !IsPrintableUtf8(*value)) {
    Malformed(column);
    return {};
  }
  return std::string(*value);
}

WallTime Row::Time(int column) {
  constexpr std::int64_t kLastMicrosecond = 253'402'300'799'999'999;  // of the year 9999
  return WallTime(Duration(IntegerBetween(column, 0, kLastMicrosecond)));
}

Uuid Row::Id(int column) { return Uuid{Bytes<16>(column)}; }

std::optional<WallTime> Row::OptionalTime(int column) {
  if (statement_.IsNull(column)) return std::nullopt;
  return Time(column);
}

Currency Row::CurrencyCode(int column) {
  const auto code = statement_.Text(column);
  const auto currency = code ? Currency::Parse(*code) : std::nullopt;
  if (!currency) Malformed(column);
  return currency.value_or(Currency());
}

Currency Row::OptionalCurrencyCode(int column) {
  const auto code = statement_.Text(column);
  return code && code->empty() ? Currency() : CurrencyCode(column);
}

std::string Row::Blob(int column, std::size_t most) {
  const auto value = statement_.Blob(column);
  if (!value || value->size() > most) {
    Malformed(column);
    return {};
  }
  return {value->begin(), value->end()};
}

Result<std::string> ReadTrace(const Statement& statement) {
  Row row(statement, "traces");
  // What makes no sense explains nothing, and is no reason not to serve.
  std::string bytes = row.Blob(1, limits::kMaxTraceBytes);
  return bytes;
}

Error Row::MalformedError() const {
  return {ErrorCode::kMalformed, "database " + statement_.File() + " has a malformed row in table " +
                                     std::string(table_) + " with key " + ShowKey(statement_) + " (column " +
                                     std::to_string(malformed_column_.value_or(0) + 1) +
                                     "): keep the file aside and restore a backup"};
}

}  // namespace strife::sqlite
