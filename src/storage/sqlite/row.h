// Row: reads the columns of a row without believing them. A file can be damaged or made by somebody hostile, so every
// value is checked before it becomes a record; the first thing wrong is kept and ends up in an Error that names file,
// table and key.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/currency.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "storage/sqlite/sqlite.h"

namespace strife::sqlite {

// Text that is no text, as a blob.
inline std::span<const std::uint8_t> BytesOf(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

class Row {
 public:
  // Column 0 must be the row's key. Both arguments must outlive the Row.
  Row(const Statement& statement, std::string_view table) : statement_(statement), table_(table) {}

  // A value that is malformed reads as a default and makes Finish fail.
  std::int64_t Integer(int column);
  std::uint64_t Unsigned(int column);
  std::int64_t IntegerBetween(int column, std::int64_t least, std::int64_t most);
  // Printable, as all text is that Strife keeps, and of bounded length.
  std::string Text(int column);
  Uuid Id(int column);
  // From 1970 to 9999, so that sums of times and durations fit.
  WallTime Time(int column);
  std::optional<WallTime> OptionalTime(int column);
  Currency CurrencyCode(int column);
  // Empty text is "no currency", as in a tombstone, which has no amount.
  Currency OptionalCurrencyCode(int column);

  template <std::size_t kSize>
  std::array<std::uint8_t, kSize> Bytes(int column) {
    std::array<std::uint8_t, kSize> value{};
    const auto blob = statement_.Blob(column);
    if (!blob || blob->size() != kSize) {
      Malformed(column);
    } else {
      std::copy(blob->begin(), blob->end(), value.begin());
    }
    return value;
  }

  // Any bytes, `most` at most.
  std::string Blob(int column, std::size_t most);

  // `first` to `last` are the values the enumeration has.
  template <typename Enum>
  Enum Enumerated(int column, Enum first, Enum last) {
    return static_cast<Enum>(IntegerBetween(column, static_cast<std::int64_t>(first), static_cast<std::int64_t>(last)));
  }

  // What does not go together with another column.
  void Require(bool holds, int column) {
    if (!holds) Malformed(column);
  }

  // The first column that was malformed, if any.
  std::optional<int> malformed_column() const { return malformed_column_; }

  // `record` if all that was read was well-formed.
  template <typename Record>
  Result<Record> Finish(Record record) const {
    if (malformed_column_) return std::unexpected(MalformedError());
    return record;
  }

 private:
  void Malformed(int column) {
    if (!malformed_column_) malformed_column_ = column;
  }
  Error MalformedError() const;

  const Statement& statement_;
  std::string_view table_;
  std::optional<int> malformed_column_;
};

// Of a row of key and trace.
Result<std::string> ReadTrace(const Statement& statement);

}  // namespace strife::sqlite
