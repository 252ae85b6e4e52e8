// LogLine: one line of a log, built as key=value pairs.
//
// Whatever is put in, the result is a single line that reads back the way it was meant: values from outside cannot
// start a line or a pair of their own. Never hand it a secret.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/money.h"
#include "base/time.h"
#include "base/uuid.h"

namespace strife {

class LogLine {
 public:
  // Starts with `event=<event>`. Events and keys are literals of the program: snake_case words.
  explicit LogLine(std::string_view event);

  // Sanitised, cut to 256 bytes, and quoted unless it is one plain word; '"' and '\' inside quotes are escaped with
  // '\'.
  LogLine& Add(std::string_view key, std::string_view value);
  LogLine& Add(std::string_view key, const char* value) { return Add(key, std::string_view(value)); }
  LogLine& Add(std::string_view key, bool value) { return Add(key, std::string_view(value ? "true" : "false")); }
  LogLine& Add(std::string_view key, const Uuid& value);
  // As two pairs would be: amount=12.50 currency=USD.
  LogLine& Add(const Money& money);
  // In microseconds: `key` should end in _us.
  LogLine& Add(std::string_view key, Duration value) { return AddInteger(key, value.count()); }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  LogLine& Add(std::string_view key, T value) {
    if constexpr (std::signed_integral<T>) {
      return AddInteger(key, static_cast<std::int64_t>(value));
    } else {
      return AddUnsigned(key, static_cast<std::uint64_t>(value));
    }
  }

  // Without line end.
  std::string_view text() const { return text_; }

 private:
  LogLine& AddInteger(std::string_view key, std::int64_t value);
  LogLine& AddUnsigned(std::string_view key, std::uint64_t value);
  void Key(std::string_view key);

  std::string text_;
};

}  // namespace strife
