// The commands and their flags as data, for completion.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace strife::cli {

struct CommandInfo {
  std::vector<std::string> path;  // {"queue", "show"}; empty for the executable itself
  std::vector<std::string> subcommands;
  std::vector<std::string> flags;  // with their dashes
};

// The executable's own entry comes first.
std::vector<CommandInfo> ListCommands(const CLI::App& app);

// What a person may mean, besides commands and flags.
struct Vocabulary {
  std::vector<std::string> banks;   // where the user has an account
  std::vector<std::string> payees;  // BANK/ACCOUNT
  std::vector<std::string> queued;  // ids of payments in the queue
};

// What could stand in place of `prefix` after these words, sorted.
std::vector<std::string> Complete(const std::vector<CommandInfo>& commands, const Vocabulary& vocabulary,
                                  const std::vector<std::string>& before, const std::string& prefix);

// A script for bash that completes commands and flags; zsh runs it too, through bashcompinit.
std::string BashCompletion(const std::vector<CommandInfo>& commands);

}  // namespace strife::cli
