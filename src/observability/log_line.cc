#include "observability/log_line.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace strife {
namespace {

constexpr std::size_t kMaxValueBytes = 256;
constexpr std::size_t kUsualLineBytes = 320;

constexpr bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-' || c == ':' || c == '/' || c == '+' || c == '@' || c == ',' || c == '[' || c == ']';
}

// Kinds of values.
constexpr char kWord = 'w';      // needs no quotes in text
constexpr char kQuoted = 'q';    // does, and may hold what must be escaped
constexpr char kVerbatim = 'v';  // a number, true or false: never in quotes
constexpr char kAfterKey = '\x1f';
constexpr char kAfterValue = '\x1e';

template <typename Use>
void EachField(std::string_view fields, Use use) {
  while (!fields.empty()) {
    const std::size_t key_end = fields.find(kAfterKey), value_end = fields.find(kAfterValue);
    use(fields.front(), fields.substr(1, key_end - 1), fields.substr(key_end + 1, value_end - key_end - 1));
    fields.remove_prefix(value_end + 1);
  }
}

// The same escapes are right in text and in JSON: control characters are not in it.
void AppendQuoted(std::string& to, std::string_view value) {
  to += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') to += '\\';
    to += c;
  }
  to += '"';
}

template <typename T>
void AppendNumber(std::string& text, T value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text.append(digits.data(), end);
}

}  // namespace

LogLine::LogLine(std::string_view event) {
  fields_.reserve(kUsualLineBytes);
  Begin(kWord, "event");
  fields_ += event;
  fields_ += kAfterValue;
}

void LogLine::Begin(char kind, std::string_view key) {
  fields_ += kind;
  fields_ += key;
  fields_ += kAfterKey;
}

LogLine& LogLine::Add(std::string_view key, std::string_view value) {
  if (!value.empty() && value.size() <= kMaxValueBytes && std::ranges::all_of(value, IsWordByte)) {
    Begin(kWord, key);
    fields_ += value;
  } else {
    Begin(kQuoted, key);
    fields_ += Sanitize(value, kMaxValueBytes);
  }
  fields_ += kAfterValue;
  return *this;
}

LogLine& LogLine::Add(std::string_view key, const Uuid& value) {
  Begin(kWord, key);
  fields_ += value.ToString();
  fields_ += kAfterValue;
  return *this;
}

LogLine& LogLine::Add(const Money& money) {
  Begin(kWord, "amount");
  fields_ += FormatAmount(money);
  fields_ += kAfterValue;
  return Add("currency", money.currency.code());
}

LogLine& LogLine::AddVerbatim(std::string_view key, std::string_view value) {
  Begin(kVerbatim, key);
  fields_ += value;
  fields_ += kAfterValue;
  return *this;
}

LogLine& LogLine::AddInteger(std::string_view key, std::int64_t value) {
  Begin(kVerbatim, key);
  AppendNumber(fields_, value);
  fields_ += kAfterValue;
  return *this;
}

LogLine& LogLine::AddUnsigned(std::string_view key, std::uint64_t value) {
  Begin(kVerbatim, key);
  AppendNumber(fields_, value);
  fields_ += kAfterValue;
  return *this;
}

void LogLine::AppendText(std::string& to) const {
  bool first = true;
  EachField(fields_, [&](char kind, std::string_view key, std::string_view value) {
    if (!first) to += ' ';
    first = false;
    to += key;
    to += '=';
    if (kind == kQuoted) {
      AppendQuoted(to, value);
    } else {
      to += value;
    }
  });
}

void LogLine::AppendJson(std::string& to) const {
  bool first = true;
  EachField(fields_, [&](char kind, std::string_view key, std::string_view value) {
    if (!first) to += ',';
    first = false;
    to += '"';
    to += key;
    to += "\":";
    if (kind == kVerbatim) {
      to += value;
    } else {
      AppendQuoted(to, value);
    }
  });
}

std::string LogLine::text() const {
  std::string text;
  AppendText(text);
  return text;
}

}  // namespace strife
