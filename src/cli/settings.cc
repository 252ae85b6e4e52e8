#include "cli/settings.h"

#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <numeric>
#include <sstream>

#include "base/text.h"
#include "cli/duration.h"
#include "security/secure_file.h"

namespace strife::cli {
namespace {

namespace fs = std::filesystem;
using Kind = Settings::Setting::Kind;

constexpr std::size_t kMaxShownBytes = 200;
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;

std::string Quoted(const std::string& text) { return "\"" + Sanitize(text, kMaxShownBytes) + "\""; }

std::string DefaultText(Duration value) {
  using Units = std::pair<Duration, const char*>;
  for (const auto& [unit, name] : {Units(std::chrono::hours(24), "d"), Units(std::chrono::hours(1), "h"),
                                   Units(std::chrono::minutes(1), "m"), Units(std::chrono::seconds(1), "s")}) {
    if (value % unit == Duration::zero()) return std::to_string(value / unit) + name;
  }
  return std::to_string(value / std::chrono::milliseconds(1)) + "ms";
}

// Letters to insert, delete or replace to turn `a` into `b`.
std::size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// The value as text; nullopt when it is not of the kind the setting takes.
std::optional<std::string> NodeText(const toml::node& node, Kind kind) {
  if (kind == Kind::kInteger) {
    if (auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
    return std::nullopt;
  }
  if (kind == Kind::kString) return node.value_exact<std::string>();
  const toml::array* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  std::string list;
  for (const toml::node& element : *array) {
    auto text = element.value_exact<std::string>();
    if (!text) return std::nullopt;
    list += (list.empty() ? "" : ",") + *text;
  }
  return list;
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> list;
  std::stringstream stream(text);
  for (std::string entry; std::getline(stream, entry, ',');) list.push_back(entry);
  return list;
}

const char* KindText(Kind kind) {
  switch (kind) {
    case Kind::kInteger:
      return "a whole number";
    case Kind::kStrings:
      return "a list of strings in brackets";
    case Kind::kString:
      break;
  }
  return "a string in quotes";
}

}  // namespace

std::string FlagName(const std::string& key) {
  std::string name = "--" + key;
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string VariableName(const std::string& key) {
  std::string name = "STRIFE_" + key;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

std::string NearestName(const std::string& text, const std::vector<std::string>& candidates) {
  std::string nearest;
  std::size_t distance = std::max<std::size_t>(2, text.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    std::size_t d = EditDistance(text, candidate);
    if (d < distance) {
      distance = d;
      nearest = candidate;
    }
  }
  return nearest;
}

Settings::Setting& Settings::Add(std::string key, std::string help, Assign assign) {
  auto setting = std::make_unique<Setting>();
  setting->key = std::move(key);
  setting->help = std::move(help);
  setting->assign = std::move(assign);
  settings_.push_back(std::move(setting));
  return *settings_.back();
}

void Settings::Text(std::string key, std::string* field, std::string help) {
  Setting& setting = Add(std::move(key), std::move(help), [field](const std::string& text, const fs::path&) {
    if (!IsPrintableUtf8(text)) return std::optional<std::string>("write text without control characters");
    *field = text;
    return std::optional<std::string>();
  });
  setting.default_text = *field;
}

void Settings::List(std::string key, std::vector<std::string>* field, std::string help) {
  Setting& setting = Add(std::move(key), std::move(help), [field](const std::string& text, const fs::path&) {
    std::vector<std::string> list = Split(text);
    for (const std::string& entry : list) {
      if (entry.empty() || !IsPrintableUtf8(entry))
        return std::optional<std::string>("name each one, separated by commas");
    }
    *field = std::move(list);
    return std::optional<std::string>();
  });
  setting.kind = Kind::kStrings;
}

void Settings::Names(std::string key, std::optional<std::vector<std::string>>* field, security::Role role,
                     std::string help) {
  Setting& setting = Add(std::move(key), std::move(help), [field, role](const std::string& text, const fs::path&) {
    std::vector<std::string> list = Split(text);
    for (const std::string& name : list) {
      if (!security::IsIdentityName(role, name)) {
        return std::optional("write the last part of each one's name in its certificate, without \"" +
                             std::string(security::RoleName(role)) + "/\"");
      }
    }
    *field = std::move(list);
    return std::optional<std::string>();
  });
  setting.kind = Kind::kStrings;
}

void Settings::Path(std::string key, fs::path* field, std::string help) {
  Add(std::move(key), std::move(help), [field](const std::string& text, const fs::path& base) {
    if (text.empty() || text.find('\0') != std::string::npos)
      return std::optional<std::string>("name a file or folder");
    *field = (base / text).lexically_normal();
    return std::optional<std::string>();
  });
}

void Settings::RequiredPath(std::string key, fs::path* field, std::string help) {
  Path(std::move(key), field, std::move(help));
  settings_.back()->required = field;
}

void Settings::Time(std::string key, Duration* field, std::string help, Duration low, Duration high) {
  Setting& setting = Add(std::move(key), std::move(help), [=](const std::string& text, const fs::path&) {
    auto parsed = ParseDuration(text);
    if (!parsed) return std::optional<std::string>("write a duration such as 300ms, 5s or 5m");
    if (*parsed < low || *parsed > high) {
      return std::optional("write one from " + DefaultText(low) + " to " + DefaultText(high));
    }
    *field = *parsed;
    return std::optional<std::string>();
  });
  setting.default_text = DefaultText(*field);
}

void Settings::WholeNumber(std::string key, int* field, int low, int high, std::string help) {
  Setting& setting = Add(std::move(key), std::move(help), [=](const std::string& text, const fs::path&) {
    int value = 0;
    auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || rest != text.data() + text.size() || value < low || value > high) {
      return std::optional("write a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    }
    *field = value;
    return std::optional<std::string>();
  });
  setting.kind = Kind::kInteger;
  setting.default_text = std::to_string(*field);
}

void Settings::OneOf(std::string key, std::string* field, std::vector<std::string> choices, const std::string& help) {
  std::string list;
  for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
  Setting& setting = Add(std::move(key), help + " (" + list + ")",
                         [field, choices = std::move(choices), list](const std::string& text, const fs::path&) {
                           if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
                             return std::optional("write one of " + list);
                           }
                           *field = text;
                           return std::optional<std::string>();
                         });
  setting.default_text = *field;
}

void Settings::AddFlags(CLI::App& command) {
  for (auto& entry : settings_) {
    Setting* setting = entry.get();
    std::string help = setting->help;
    if (!setting->default_text.empty()) help += " [" + setting->default_text + "]";
    auto keep = [setting](const std::string& text) {
      if (auto advice = setting->assign(text, fs::current_path())) {
        throw CLI::ValidationError(FlagName(setting->key) + " is " + Quoted(text) + "; " + *advice);
      }
      setting->flag = text;
    };
    command.add_option_function<std::string>(FlagName(setting->key), keep, help)->group("Settings");
  }
}

std::vector<std::string> Settings::GivenFlags() const {
  std::vector<std::string> words;
  for (const auto& setting : settings_) {
    if (setting->flag) words.insert(words.end(), {FlagName(setting->key), *setting->flag});
  }
  return words;
}

Status Settings::Load(const std::optional<fs::path>& file) {
  if (file) {
    if (auto loaded = LoadFile(*file); !loaded) return loaded;
  }
  if (auto loaded = LoadEnvironment(); !loaded) return loaded;
  if (auto loaded = LoadFlags(); !loaded) return loaded;
  return CheckRequired(file);
}

Status Settings::LoadFileOnly(const fs::path& file) {
  if (auto loaded = LoadFile(file); !loaded) return loaded;
  return CheckRequired(file);
}

Status Settings::LoadFile(const fs::path& file) {
  const auto content = security::ReadFile(file, kMaxFileBytes);
  if (!content) {
    return Fail(content.error().code, "cannot read the configuration: " + content.error().message +
                                          "; check the name and that you may read it");
  }
  toml::table table;
  try {
    table = toml::parse(*content, file.string());
  } catch (const toml::parse_error& error) {
    const std::string what = Sanitize(error.description(), kMaxShownBytes);
    return Fail(ErrorCode::kInvalidInput,
                file.string() + " line " + std::to_string(error.source().begin.line) + " is not valid TOML: " + what);
  }
  fs::path base = fs::absolute(file).parent_path();
  std::vector<std::string> keys;
  keys.reserve(settings_.size());
  for (const auto& setting : settings_) keys.push_back(setting->key);
  for (const auto& [toml_key, node] : table) {
    std::string key(toml_key.str());
    std::string where = file.string() + " line " + std::to_string(node.source().begin.line);
    auto match = std::find(keys.begin(), keys.end(), key);
    if (match == keys.end()) {
      std::string nearest = NearestName(key, keys);
      return Fail(ErrorCode::kInvalidInput, where + ": unknown key " + Quoted(key) +
                                                (nearest.empty() ? "" : ", did you mean " + Quoted(nearest) + "?"));
    }
    Setting& setting = *settings_[static_cast<std::size_t>(match - keys.begin())];
    auto text = NodeText(node, setting.kind);
    if (!text) {
      return Fail(ErrorCode::kInvalidInput, where + ": " + key + " must be " + KindText(setting.kind));
    }
    if (auto advice = setting.assign(*text, base)) {
      return Fail(ErrorCode::kInvalidInput, where + ": " + key + " is " + Quoted(*text) + "; " + *advice);
    }
  }
  return {};
}

Status Settings::LoadEnvironment() {
  for (const auto& setting : settings_) {
    const char* value = std::getenv(VariableName(setting->key).c_str());
    if (value == nullptr || *value == '\0') continue;
    if (auto advice = setting->assign(value, fs::current_path())) {
      return Fail(ErrorCode::kInvalidInput, VariableName(setting->key) + " is " + Quoted(value) + "; " + *advice);
    }
  }
  return {};
}

Status Settings::LoadFlags() {
  for (const auto& setting : settings_) {
    if (!setting->flag) continue;
    if (auto advice = setting->assign(*setting->flag, fs::current_path())) {
      return Fail(ErrorCode::kUsage, FlagName(setting->key) + " is " + Quoted(*setting->flag) + "; " + *advice);
    }
  }
  return {};
}

Status Settings::CheckRequired(const std::optional<fs::path>& file) const {
  for (const auto& setting : settings_) {
    if (setting->required == nullptr || !setting->required->empty()) continue;
    std::string place = file ? "in " + file->string() : "in a configuration file named with --config";
    return Fail(ErrorCode::kInvalidInput, setting->key + " is not set; set it " + place + ", with " +
                                              FlagName(setting->key) + " or " + VariableName(setting->key));
  }
  return {};
}

}  // namespace strife::cli
