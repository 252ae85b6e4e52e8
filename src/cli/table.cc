#include "cli/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <cwchar>
#include <limits>
#include <numeric>

#include "base/assert.h"
#include "base/text.h"

namespace strife::cli {
namespace {

// Character classes for UTF-8 whatever locale the user has set.
locale_t Utf8Locale() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

// How a state looks at a glance; "" for every other cell.
std::string_view ColourOf(std::string_view cell) {
  if (cell == "COMPLETED") return "\033[32m";
  if (cell == "ABORTED" || cell == "PARKED" || cell == "EXPIRED") return "\033[31m";
  if (cell == "QUEUED" || cell == "UNKNOWN" || cell == "INITIATED" || cell == "COMMITTING" ||
      cell == "PARTIAL_COMMIT_RECOVERY_NEEDED") {
    return "\033[33m";
  }
  return "";
}

void AppendPadded(std::string& line, const std::string& cell, std::size_t width, Align align, bool last, bool colour) {
  std::size_t padding = width - std::min(width, DisplayWidth(cell));
  if (align == Align::kRight) line.append(padding, ' ');
  const std::string_view code = colour ? ColourOf(cell) : "";
  line += code;
  line += cell;
  if (!code.empty()) line += "\033[0m";
  if (align == Align::kLeft && !last) line.append(padding, ' ');
}

}  // namespace

std::size_t DisplayWidth(std::string_view text) {
  locale_t before = ::uselocale(nullptr);
  if (Utf8Locale() != nullptr) ::uselocale(Utf8Locale());
  std::size_t width = 0;
  std::mbstate_t state{};
  while (!text.empty()) {
    wchar_t character = 0;
    std::size_t length = std::mbrtowc(&character, text.data(), text.size(), &state);
    if (length == 0 || length > text.size()) {
      length = 1;
      width += 1;
      state = {};
    } else {
      int cells = ::wcwidth(character);
      width += cells < 0 ? 1 : static_cast<std::size_t>(cells);
    }
    text.remove_prefix(length);
  }
  ::uselocale(before);
  return width;
}

std::size_t TerminalColumns(int fd) {
  winsize size{};
  return ::isatty(fd) == 1 && ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool MayDecorate(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  bool refused = (no_color != nullptr && *no_color != '\0') || term == nullptr || std::string_view(term) == "dumb";
  return !refused && ::isatty(fd) == 1;
}

void Table::AddRow(std::vector<std::string> cells) {
  STRIFE_ASSERT(cells.size() == columns_.size());
  for (std::string& cell : cells) cell = Sanitize(cell, cell.size());
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::Widths() const {
  std::vector<std::size_t> widths;
  widths.reserve(columns_.size());
  for (const Column& column : columns_) widths.push_back(DisplayWidth(column.header));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  return widths;
}

std::vector<std::size_t> Table::Fitting(const std::vector<std::size_t>& widths, std::size_t width) const {
  std::vector<std::size_t> shown(columns_.size());
  std::iota(shown.begin(), shown.end(), std::size_t{0});
  const auto needed = [&] {
    std::size_t sum = shown.empty() ? 0 : 2 * (shown.size() - 1);
    for (std::size_t i : shown) sum += widths[i];
    return sum;
  };
  const auto rank = [&](std::size_t i) {
    const bool blank = std::ranges::all_of(rows_, [i](const auto& row) { return row[i].empty(); });
    return blank ? std::numeric_limits<int>::max() : columns_[i].rank;
  };
  while (width > 0 && needed() > width) {
    const auto least = std::ranges::max_element(shown, {}, rank);
    if (rank(*least) == 0) break;
    shown.erase(least);
  }
  return shown;
}

std::string Table::Render(bool decorate, std::size_t width) const {
  const std::vector<std::size_t> widths = Widths();
  const std::vector<std::size_t> shown = Fitting(widths, width);
  auto line = [&](auto cell_of, bool colour) {
    std::string text;
    for (std::size_t i : shown) {
      if (i != shown.front()) text += "  ";
      AppendPadded(text, cell_of(i), widths[i], columns_[i].align, i == shown.back(), colour);
    }
    return text.erase(text.find_last_not_of(' ') + 1);
  };
  std::string header = line([&](std::size_t i) { return columns_[i].header; }, false);
  std::string out = (decorate ? "\033[1m" + header + "\033[0m" : header) + "\n";
  for (const auto& row : rows_) out += line([&](std::size_t i) { return row[i]; }, decorate) + "\n";
  std::string left_out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!std::ranges::binary_search(shown, i)) left_out += (left_out.empty() ? "" : ", ") + columns_[i].header;
  }
  return left_out.empty() ? out : out + "(too narrow for: " + left_out + ")\n";
}

std::string Table::RenderForOutput() const {
  return Render(MayDecorate(STDOUT_FILENO), TerminalColumns(STDOUT_FILENO));
}

std::string RenderFields(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::size_t width = 0;
  for (const auto& [name, value] : fields) width = std::max(width, DisplayWidth(name));
  std::string out;
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    out += name;
    out.append(width - DisplayWidth(name) + 2, ' ');
    out += Sanitize(value, value.size()) + "\n";
  }
  return out;
}

std::string Wrap(std::string_view sentence, std::size_t width) {
  if (width == 0) return std::string(sentence);
  std::string out;
  std::size_t column = 0;
  while (!sentence.empty()) {
    const std::size_t end = std::min(sentence.find(' '), sentence.size());
    const std::string_view word = sentence.substr(0, end);
    const std::size_t cells = DisplayWidth(word);
    const bool breaks = column > 0 && column + 1 + cells > width;
    if (breaks) column = 0;
    if (!out.empty()) out += breaks ? '\n' : ' ';
    column += cells + (column > 0 ? 1 : 0);
    out += word;
    sentence.remove_prefix(std::min(end + 1, sentence.size()));
  }
  return out;
}

}  // namespace strife::cli
