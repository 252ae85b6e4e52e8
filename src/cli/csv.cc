#include "cli/csv.h"

namespace strife::cli {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  Result<std::vector<CsvRow>> Run() {
    while (position_ < text_.size()) {
      CsvRow row{.line = line_, .fields = {}};
      bool quoted_any = false;
      do {
        bool quoted = position_ < text_.size() && text_[position_] == '"';
        quoted_any |= quoted;
        auto field = quoted ? QuotedField() : PlainField();
        if (!field) return std::unexpected(field.error());
        row.fields.push_back(std::move(*field));
      } while (TakeComma());
      TakeLineEnd();
      bool blank = row.fields.size() == 1 && row.fields[0].empty() && !quoted_any;
      if (!blank) rows_.push_back(std::move(row));
    }
    return std::move(rows_);
  }

 private:
  bool AtLineEnd() const {
    return position_ == text_.size() || text_[position_] == '\n' || text_.substr(position_, 2) == "\r\n";
  }

  bool TakeComma() {
    if (position_ == text_.size() || text_[position_] != ',') return false;
    ++position_;
    return true;
  }

  void TakeLineEnd() {
    if (position_ == text_.size()) return;
    position_ += text_[position_] == '\r' ? 2 : 1;
    ++line_;
  }

  Result<std::string> PlainField() {
    std::size_t start = position_;
    while (!AtLineEnd() && text_[position_] != ',') {
      if (text_[position_] == '"') {
        return Fail(ErrorCode::kInvalidInput, "line " + std::to_string(line_) +
                                                  ": a quote in the middle of a field; put the whole field in quotes "
                                                  "and double the quotes inside it");
      }
      ++position_;
    }
    return std::string(text_.substr(start, position_ - start));
  }

  Result<std::string> QuotedField() {
    std::size_t first_line = line_;
    std::string field;
    ++position_;
    while (position_ < text_.size()) {
      char c = text_[position_++];
      if (c == '"') {
        if (position_ < text_.size() && text_[position_] == '"') {
          ++position_;
        } else if (AtLineEnd() || text_[position_] == ',') {
          return field;
        } else {
          return Fail(ErrorCode::kInvalidInput,
                      "line " + std::to_string(line_) + ": text after the closing quote of a field");
        }
      }
      if (c == '\n') ++line_;
      field += c;
    }
    return Fail(ErrorCode::kInvalidInput,
                "line " + std::to_string(first_line) + ": a quote is opened and never closed");
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
  std::vector<CsvRow> rows_;
};

}  // namespace

Result<std::vector<CsvRow>> ParseCsv(std::string_view text) { return Parser(text).Run(); }

std::string FormatCsvRow(const std::vector<std::string>& fields) {
  std::string row;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) row += ',';
    const std::string& field = fields[i];
    bool quote = field.find_first_of(",\"\r\n") != std::string::npos || (fields.size() == 1 && field.empty()) ||
                 field.starts_with(kByteOrderMark);
    if (!quote) {
      row += field;
      continue;
    }
    row += '"';
    for (char c : field) {
      if (c == '"') row += '"';
      row += c;
    }
    row += '"';
  }
  return row + "\n";
}

}  // namespace strife::cli
