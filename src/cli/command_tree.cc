#include "cli/command_tree.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

namespace strife::cli {
namespace {

void Collect(const CLI::App& app, const std::vector<std::string>& path, std::vector<CommandInfo>& out) {
  CommandInfo info;
  info.path = path;
  const auto children = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* child : children) info.subcommands.push_back(child->get_name());
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) info.flags.push_back("--" + name);
  }
  std::ranges::sort(info.flags);
  out.push_back(std::move(info));
  for (const CLI::App* child : children) {
    auto deeper = path;
    deeper.push_back(child->get_name());
    Collect(*child, deeper, out);
  }
}

// The command the words name: the longest path they begin with.
const CommandInfo* Named(const std::vector<CommandInfo>& commands, const std::vector<std::string>& words) {
  const CommandInfo* found = nullptr;
  for (const CommandInfo& command : commands) {
    const auto& path = command.path;
    if (path.size() > words.size() || !std::equal(path.begin(), path.end(), words.begin())) continue;
    if (found == nullptr || path.size() > found->path.size()) found = &command;
  }
  return found;
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

const std::map<std::string, std::vector<std::string>>& FixedValues() {
  static const std::map<std::string, std::vector<std::string>> kValues = {
      {"--output", {"json", "table"}},
      {"--currency", {"CHF", "EUR", "GBP", "JPY", "USD"}},
      {"--state", {"ABORTED", "COMMITTING", "COMPLETED", "INITIATED", "PARTIAL_COMMIT_RECOVERY_NEEDED"}},
      {"--log-level", {"critical", "debug", "error", "info", "trace", "warning"}}};
  return kValues;
}

}  // namespace

std::vector<CommandInfo> ListCommands(const CLI::App& app) {
  std::vector<CommandInfo> commands;
  Collect(app, {}, commands);
  return commands;
}

std::vector<std::string> Complete(const std::vector<CommandInfo>& commands, const Vocabulary& vocabulary,
                                  const std::vector<std::string>& before, const std::string& prefix) {
  std::vector<std::string> candidates;
  const CommandInfo* command = Named(commands, before);
  const std::string last = before.empty() ? "" : before.back();
  const auto fixed = FixedValues().find(last);
  if (last == "--to") {
    candidates = vocabulary.payees;
  } else if (last == "--from") {
    candidates = vocabulary.banks;
  } else if (fixed != FixedValues().end()) {
    candidates = fixed->second;
  } else if (command != nullptr) {
    candidates = prefix.starts_with('-') ? command->flags : command->subcommands;
    const std::string path = Join(command->path);
    if (!prefix.starts_with('-') && path == "balance") candidates = vocabulary.banks;
    const bool of_queue = path == "queue show" || path == "queue cancel" || path == "queue retry" ||
                          path == "queue ack" || path == "payment" || path == "trace";
    if (!prefix.starts_with('-') && of_queue) candidates = vocabulary.queued;
  }
  std::erase_if(candidates, [&](const std::string& it) { return !it.starts_with(prefix); });
  std::ranges::sort(candidates);
  const auto twice = std::ranges::unique(candidates);
  candidates.erase(twice.begin(), twice.end());
  return candidates;
}

std::string BashCompletion(const std::vector<CommandInfo>& commands) {
  std::string script =
      "# Completion of strife for bash, and for zsh through its bashcompinit.\n"
      "_strife() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} at= word i\n"
      "  COMPREPLY=()\n"
      "  case $previous in\n";
  for (const auto& [flag, values] : FixedValues()) {
    script += "    " + flag + ") COMPREPLY=($(compgen -W \"" + Join(values) + "\" -- \"$current\")); return ;;\n";
  }
  script +=
      "    --config|--file|--password-file|--ca-file|--cert-file|--key-file) COMPREPLY=($(compgen -f -- "
      "\"$current\")); "
      "return ;;\n"
      "    --dir|--data-dir|--log-dir) COMPREPLY=($(compgen -d -- \"$current\")); return ;;\n"
      "  esac\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=${COMP_WORDS[i]}\n"
      "    case \"$at $word\" in\n";
  std::string paths;
  for (const CommandInfo& command : commands) {
    if (!command.path.empty()) paths += (paths.empty() ? "" : "|") + ("\" " + Join(command.path) + "\"");
  }
  script += "      " + paths + ") at=\"$at $word\" ;;\n    esac\n  done\n  case $at in\n";
  for (const CommandInfo& command : commands) {
    const std::string path = command.path.empty() ? "" : " " + Join(command.path);
    script += "    \"" + path + "\") word=\"" + Join(command.subcommands) + (command.subcommands.empty() ? "" : " ") +
              Join(command.flags) + "\" ;;\n";
  }
  script +=
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$word\" -- \"$current\"))\n"
      "}\n"
      "complete -F _strife strife\n";
  return script;
}

}  // namespace strife::cli
