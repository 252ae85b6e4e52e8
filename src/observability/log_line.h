// LogLine: one line of a log, built as pairs of a key and a value, written as text or as JSON.
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
  // Events and keys are literals of the program: snake_case words, each key once, and none `time`, `level` or `event`.
  explicit LogLine(std::string_view event);

  // Sanitised, cut to 256 bytes. In text it is quoted unless it is one plain word; '"' and '\' inside quotes are
  // escaped with '\', as in JSON.
  LogLine& Add(std::string_view key, std::string_view value);
  LogLine& Add(std::string_view key, const char* value) { return Add(key, std::string_view(value)); }
  LogLine& Add(std::string_view key, bool value) { return AddVerbatim(key, value ? "true" : "false"); }
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

  // `event=payment id=… amount=12.50`: without time, level and line end.
  void AppendText(std::string& to) const;
  // `"event":"payment","id":"…","amount":"12.50"`: the members of an object. Integers are numbers, all else is strings
  // but true and false.
  void AppendJson(std::string& to) const;
  std::string text() const;

  // How long either form becomes at the most, roughly.
  std::size_t size() const { return fields_.size(); }

 private:
  LogLine& AddInteger(std::string_view key, std::int64_t value);
  LogLine& AddUnsigned(std::string_view key, std::uint64_t value);
  LogLine& AddVerbatim(std::string_view key, std::string_view value);
  void Begin(char kind, std::string_view key);

  // Each pair: its kind, the key, kAfterKey, the value, kAfterValue. Neither is in any value, for values are sanitised.
  std::string fields_;
};

}  // namespace strife
