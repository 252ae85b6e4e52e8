// strife shell: the commands of a client, one after the other, while the queue is delivered in the background.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_tree.h"
#include "client/config.h"

namespace strife::cli {

struct ShellOptions {
  client::ClientConfig config;
  std::vector<std::string> flags;  // settings given on the command line, for each command to have too
};

// Runs one command line without the executable's name; `confirm` is asked before money moves, if it is set. Returns the
// exit status.
using Confirm = std::function<bool(const std::string& question)>;
int RunShellCommand(const std::vector<std::string>& words, Confirm confirm);

// What can be typed in the shell.
std::vector<CommandInfo> ShellCommands();

// Until `exit`, the end of the input, or Ctrl-D. On a terminal with line editing, prompt and notices; else it reads
// lines, says nothing of its own on standard output, and returns the status of the first command that failed.
int RunShell(const ShellOptions& options);

}  // namespace strife::cli
