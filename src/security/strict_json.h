// JSON as strangers may write it: what a lenient parser lets through quietly is an error here.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace strife::security {

// kInvalidInput, naming `source` with line and column, for anything that is not one JSON text in UTF-8, for a key that
// occurs twice in an object and for nesting deeper than 32. Never repeats the text itself: it may hold secrets.
Result<nlohmann::json> ParseStrictJson(std::string_view text, const std::string& source);

// Reads the fields of one object, each of a given type, and refuses fields nobody asked for. `where` is what messages
// call the object, such as `users.json: user "user1"`. All errors are kInvalidInput.
class JsonFields {
 public:
  // The value must be an object with no keys but the `allowed` ones. It must outlive this.
  static Result<JsonFields> Of(const nlohmann::json& value, std::string where,
                               std::initializer_list<std::string_view> allowed);

  Result<std::string> String(std::string_view key) const;
  Result<bool> Bool(std::string_view key, bool if_absent) const;
  // A whole number in [minimum, maximum].
  Result<std::int64_t> Integer(std::string_view key, std::int64_t minimum, std::int64_t maximum) const;
  Result<const nlohmann::json*> Array(std::string_view key) const;
  Result<const nlohmann::json*> Object(std::string_view key) const;
  bool Has(std::string_view key) const;

  std::unexpected<Error> Wrong(std::string_view what) const;
  const std::string& where() const { return where_; }

 private:
  JsonFields(const nlohmann::json& value, std::string where) : value_(&value), where_(std::move(where)) {}
  Result<const nlohmann::json*> Required(std::string_view key) const;

  const nlohmann::json* value_;
  std::string where_;
};

}  // namespace strife::security
