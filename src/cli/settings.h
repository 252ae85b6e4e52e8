// Settings: fills a configuration struct from a TOML file, STRIFE_* variables and flags.
//
// A setting named `retry_delay` is the TOML key `retry_delay`, the variable STRIFE_RETRY_DELAY and the flag
// --retry-delay. A flag beats the variable, the variable beats the file, the file beats the struct's default.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace CLI {
class App;
}

namespace strife::cli {

class Settings {
 public:
  // Puts `text` into the struct; returns what to write instead when it does not fit. Relative paths start at `base`.
  using Assign = std::function<std::optional<std::string>(const std::string& text, const std::filesystem::path& base)>;

  struct Setting {
    std::string key;
    std::string help;
    Assign assign;
    // What it is in TOML.
    enum class Kind { kString, kInteger, kStrings } kind = Kind::kString;
    std::string default_text;                         // for --help
    const std::filesystem::path* required = nullptr;  // must not be empty in the end
    std::optional<std::string> flag;                  // as given on the command line
  };

  // The fields must outlive the object.
  void Text(std::string key, std::string* field, std::string help);
  // Several, none of them empty: an array in TOML, separated by commas elsewhere.
  void List(std::string key, std::vector<std::string>* field, std::string help);
  void Path(std::string key, std::filesystem::path* field, std::string help);
  void RequiredPath(std::string key, std::filesystem::path* field, std::string help);
  // From 1 ms to `most`.
  static constexpr Duration kMostTime = std::chrono::hours(24 * 3650);
  void Time(std::string key, Duration* field, std::string help, Duration most = kMostTime);
  void WholeNumber(std::string key, int* field, int low, int high, std::string help);
  void OneOf(std::string key, std::string* field, std::vector<std::string> choices, const std::string& help);

  // Adds a flag for each setting; call once, after all settings. A flag's value is checked while parsing.
  void AddFlags(CLI::App& command);

  // The flags that were given, as words for another command line.
  std::vector<std::string> GivenFlags() const;

  // Fills the struct. `file`: absent means there is none. Errors name file and line, variable or flag.
  Status Load(const std::optional<std::filesystem::path>& file);
  // The same from the file alone.
  Status LoadFileOnly(const std::filesystem::path& file);

 private:
  Setting& Add(std::string key, std::string help, Assign assign);
  Status LoadFile(const std::filesystem::path& file);
  Status LoadEnvironment();
  Status LoadFlags();
  Status CheckRequired(const std::optional<std::filesystem::path>& file) const;

  std::vector<std::unique_ptr<Setting>> settings_;
};

// The flag and variable of a key: "--retry-delay", "STRIFE_RETRY_DELAY".
std::string FlagName(const std::string& key);
std::string VariableName(const std::string& key);

// The candidate most like `text` when it is near enough to be a slip of the keyboard; empty otherwise.
std::string NearestName(const std::string& text, const std::vector<std::string>& candidates);

}  // namespace strife::cli
