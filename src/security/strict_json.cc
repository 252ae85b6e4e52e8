#include "security/strict_json.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/text.h"

namespace strife::security {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;

// Where in the text the parser is: nlohmann tells its callback what it has read, but not where.
class TrackedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* at, const char** position) : at_(at), position_(position) {}
  reference operator*() const { return *at_; }
  TrackedIterator& operator++() {
    *position_ = ++at_;
    return *this;
  }
  bool operator==(const TrackedIterator& other) const { return at_ == other.at_; }
  bool operator!=(const TrackedIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** position_;
};

std::string LineAndColumn(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n');
  const std::size_t column = line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(std::max<std::size_t>(column, 1));
}

std::string Quoted(std::string_view text) { return '"' + Sanitize(text, 64) + '"'; }

}  // namespace

Result<json> ParseStrictJson(std::string_view text, const std::string& source) {
  const char* position = text.data();
  std::vector<std::set<std::string>> keys_of_open_objects;
  std::string first_problem;
  const auto problem = [&](const std::string& what) {
    if (!first_problem.empty()) return;
    first_problem = what + " at " + LineAndColumn(text, static_cast<std::size_t>(position - text.data()));
  };
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kMaxDepth) problem("is nested too deeply");
    if (event == json::parse_event_t::object_start) keys_of_open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) keys_of_open_objects.pop_back();
    if (event == json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_of_open_objects.back().insert(key).second)
        problem("has the key " + Quoted(key) + " twice in one object");
    }
    return true;
  };
  try {
    const char* ignored = nullptr;
    json value = json::parse(TrackedIterator(text.data(), &position),
                             TrackedIterator(text.data() + text.size(), &ignored), watch);
    if (first_problem.empty()) return value;
  } catch (const json::exception&) {
    problem("is not valid JSON");
  }
  return Fail(ErrorCode::kInvalidInput, source + " " + first_problem);
}

Result<JsonFields> JsonFields::Of(const json& value, std::string where,
                                  std::initializer_list<std::string_view> allowed) {
  JsonFields fields(value, std::move(where));
  if (!value.is_object()) return fields.Wrong("is not a JSON object");
  for (const auto& [key, unused] : value.items()) {
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
      return fields.Wrong("has the unknown key " + Quoted(key));
    }
  }
  return fields;
}

std::unexpected<Error> JsonFields::Wrong(std::string_view what) const {
  return Fail(ErrorCode::kInvalidInput, where_ + " " + std::string(what));
}

bool JsonFields::Has(std::string_view key) const { return value_->find(key) != value_->end(); }

Result<const json*> JsonFields::Required(std::string_view key) const {
  const auto found = value_->find(key);
  if (found == value_->end()) return Wrong("lacks the key " + Quoted(key));
  return &*found;
}

Result<std::string> JsonFields::String(std::string_view key) const {
  const auto value = Required(key);
  if (!value) return std::unexpected(value.error());
  if (!(*value)->is_string()) return Wrong("has a " + Quoted(key) + " that is not a string");
  return (*value)->get<std::string>();
}

Result<bool> JsonFields::Bool(std::string_view key, bool if_absent) const {
  if (!Has(key)) return if_absent;
  const auto value = Required(key);
  if (!(*value)->is_boolean()) return Wrong("has a " + Quoted(key) + " that is neither true nor false");
  return (*value)->get<bool>();
}

Result<std::int64_t> JsonFields::Integer(std::string_view key, std::int64_t minimum, std::int64_t maximum) const {
  const auto value = Required(key);
  if (!value) return std::unexpected(value.error());
  const bool fits =
      (*value)->is_number_integer() && (!(*value)->is_number_unsigned() || (*value)->get<std::uint64_t>() <= INT64_MAX);
  if (!fits || (*value)->get<std::int64_t>() < minimum || (*value)->get<std::int64_t>() > maximum) {
    return Wrong("has a " + Quoted(key) + " that is not a whole number from " + std::to_string(minimum) + " to " +
                 std::to_string(maximum));
  }
  return (*value)->get<std::int64_t>();
}

Result<const json*> JsonFields::Array(std::string_view key) const {
  const auto value = Required(key);
  if (!value) return std::unexpected(value.error());
  if (!(*value)->is_array()) return Wrong("has a " + Quoted(key) + " that is not an array");
  return *value;
}

Result<const json*> JsonFields::Object(std::string_view key) const {
  const auto value = Required(key);
  if (!value) return std::unexpected(value.error());
  if (!(*value)->is_object()) return Wrong("has a " + Quoted(key) + " that is not an object");
  return *value;
}

}  // namespace strife::security
