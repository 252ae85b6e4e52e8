// Comma-separated values as RFC 4180 has them: quoted fields, doubled quotes, commas and line breaks inside quotes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace strife::cli {

struct CsvRow {
  std::size_t line = 0;  // where the row starts, from 1
  std::vector<std::string> fields;
};

// All rows that are not blank. LF and CRLF end a row; a byte order mark at the start is skipped. The error names the
// line.
Result<std::vector<CsvRow>> ParseCsv(std::string_view text);

// One row, quoted where needed, with its line feed.
std::string FormatCsvRow(const std::vector<std::string>& fields);

}  // namespace strife::cli
