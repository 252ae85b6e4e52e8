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

template <typename T>
void AppendNumber(std::string& text, T value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text.append(digits.data(), end);
}

}  // namespace

LogLine::LogLine(std::string_view event) {
  text_.reserve(kUsualLineBytes);
  text_ += "event=";
  text_ += event;
}

void LogLine::Key(std::string_view key) {
  text_ += ' ';
  text_ += key;
  text_ += '=';
}

LogLine& LogLine::Add(std::string_view key, std::string_view value) {
  Key(key);
  if (!value.empty() && value.size() <= kMaxValueBytes && std::ranges::all_of(value, IsWordByte)) {
    text_ += value;
    return *this;
  }
  text_ += '"';
  for (char c : Sanitize(value, kMaxValueBytes)) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
  return *this;
}

LogLine& LogLine::Add(std::string_view key, const Uuid& value) {
  Key(key);
  text_ += value.ToString();
  return *this;
}

LogLine& LogLine::Add(const Money& money) {
  Key("amount");
  text_ += FormatAmount(money);
  return Add("currency", money.currency.code());
}

LogLine& LogLine::AddInteger(std::string_view key, std::int64_t value) {
  Key(key);
  AppendNumber(text_, value);
  return *this;
}

LogLine& LogLine::AddUnsigned(std::string_view key, std::uint64_t value) {
  Key(key);
  AppendNumber(text_, value);
  return *this;
}

}  // namespace strife
