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

// Columns of the terminal `fd` is; 0 when it is none, or does not say.
std::size_t TerminalColumns(int fd);

// True when `fd` is a terminal that may be given colours and cursor movements (NO_COLOR and TERM=dumb say no).
bool MayDecorate(int fd);

class Table {
 public:
  struct Column {
    std::string header;
    Align align = Align::kLeft;
    int rank = 0;  // on a narrow terminal the highest goes first, after columns without content; 0 stays
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: one cell for each column. Control characters in a cell are replaced, so data cannot forge a line.
  void AddRow(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // Header and rows, a line each. `decorate` makes the header bold and gives states their colour. Within `width`
  // columns, unless 0, as far as ranks allow; a last line then names what was left out.
  std::string Render(bool decorate, std::size_t width = 0) const;
  // As it suits standard output.
  std::string RenderForOutput() const;

 private:
  std::vector<std::size_t> Widths() const;
  // Which columns fit, in order.
  std::vector<std::size_t> Fitting(const std::vector<std::size_t>& widths, std::size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Name and value pairs, the values aligned.
std::string RenderFields(const std::vector<std::pair<std::string, std::string>>& fields);

// `sentence` broken between words into lines of at most `width` columns, 0: not at all. A longer word has a line of its
// own.
std::string Wrap(std::string_view sentence, std::size_t width);

}  // namespace strife::cli
