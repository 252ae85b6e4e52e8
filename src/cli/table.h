// Tables for people: aligned columns, by display width rather than bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace strife::cli {

enum class Align { kLeft, kRight };

// Terminal cells `text` takes: two for wide characters, none for combining ones. Bytes that are no UTF-8 count one.
std::size_t DisplayWidth(std::string_view text);

// True when `fd` is a terminal that may be given colours and cursor movements (NO_COLOR and TERM=dumb say no).
bool MayDecorate(int fd);

class Table {
 public:
  struct Column {
    std::string header;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: one cell for each column. Control characters in a cell are replaced, so data cannot forge a line.
  void AddRow(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // Header and rows, a line each. `decorate` makes the header bold and gives states their colour.
  std::string Render(bool decorate) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Name and value pairs, the values aligned.
std::string RenderFields(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace strife::cli
