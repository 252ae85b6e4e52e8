// shell, completion.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/configs.h"
#include "cli/output.h"
#include "cli/shell.h"

namespace strife::cli {
namespace {

int Completion(const std::string& which) {
  CLI::App app("", "strife");
  Invocation unused;
  AddAllCommands(app, unused);
  const std::string script = BashCompletion(ListCommands(app));
  if (which == "zsh") {
    PrintText(
        "(( $+functions[compdef] )) || { autoload -U compinit && compinit }\n"
        "autoload -U +X bashcompinit && bashcompinit\n");
  }
  PrintText(script);
  return kExitDone;
}

}  // namespace

int RunShellCommand(const std::vector<std::string>& words, Confirm confirm) {
  CLI::App app("The commands of strife shell; `help` is shorter", "strife");
  Invocation invocation;
  invocation.confirm = std::move(confirm);
  AddClientCommands(app, invocation);
  return RunCommand(app, invocation, words);
}

std::vector<CommandInfo> ShellCommands() {
  CLI::App app("", "strife");
  Invocation unused;
  AddClientCommands(app, unused);
  auto commands = ListCommands(app);
  commands.front().subcommands.insert(commands.front().subcommands.end(), {"exit", "help", "status"});
  return commands;
}

void AddShellCommand(CLI::App& app, Invocation& invocation) {
  auto client = std::make_shared<std::optional<ClientOptions>>();
  CLI::App* shell = AddCommand(app, invocation, "shell", "Pay and look things up, one command after the other",
                               "  strife shell\n  echo balance | strife shell", [=]() -> int {
                                 auto config = (*client)->Load();
                                 if (!config) return Report(config.error());
                                 return RunShell({*std::move(config), (*client)->GivenFlags()});
                               });
  client->emplace(*shell);
}

void AddCompletionCommand(CLI::App& app, Invocation& invocation) {
  auto which = std::make_shared<std::string>();
  CLI::App* completion =
      AddCommand(app, invocation, "completion", "Print a script that completes strife's commands in your shell",
                 "  strife completion bash >~/.local/share/bash-completion/completions/strife\n"
                 "  source <(strife completion zsh)",
                 [=] { return Completion(*which); });
  completion->add_option("SHELL", *which, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
}

}  // namespace strife::cli
