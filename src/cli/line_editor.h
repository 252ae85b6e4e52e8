// A line of input from a person at a terminal: editing, history, completion, and news that may come in meanwhile.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace strife::cli {

class LineEditor {
 public:
  // All run in Read.
  struct Hooks {
    std::function<std::string()> prompt;  // asked again after each Wake
    std::function<std::string()> news;    // after each Wake: whole lines to show above the prompt, or nothing
    std::function<std::vector<std::string>(const std::string& line)> complete;  // what could stand at the line's end
  };

  // `history_file` is read, made 0600 when missing, and kept up to date; empty: none. SIGINT should be blocked in all
  // threads: Read alone lets it through.
  LineEditor(Hooks hooks, std::filesystem::path history_file);
  ~LineEditor();

  struct Line {
    enum class Kind { kText, kInterrupted, kEnd } kind = Kind::kEnd;  // kInterrupted: Ctrl-C; kEnd: Ctrl-D
    std::string text;
  };
  Line Read();
  // The same for one question: no news meanwhile.
  Line Ask(const std::string& question);
  // Keeps a line for later: not one that begins with a blank.
  void Remember(const std::string& line);
  // Thread-safe.
  void Wake();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace strife::cli
