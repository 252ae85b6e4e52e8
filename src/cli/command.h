// How a command family joins the executable.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace strife::cli {

// Set by the callback of the command that was named; run after the whole command line has been read and found right.
// Returns the exit status.
struct Invocation {
  std::function<int()> run;
  // Asked before money moves: go on? Empty: nobody is to be asked.
  std::function<bool(const std::string& question)> confirm;
};

// Adds a subcommand whose run is `action`. Its help ends with `examples`: one "strife …" per line.
CLI::App* AddCommand(CLI::App& parent, Invocation& invocation, const std::string& name, const std::string& description,
                     const std::string& examples, std::function<int()> action);

// The same for an action with options of its own. They live as long as the command; their AddFlags(CLI::App&) adds what
// all commands with such options have, and the caller what only this one has.
template <typename Options>
std::pair<CLI::App*, std::shared_ptr<Options>> AddCommandWith(CLI::App& parent, Invocation& invocation,
                                                              const std::string& name, const std::string& description,
                                                              const std::string& examples,
                                                              const std::function<int(Options&)>& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = AddCommand(parent, invocation, name, description, examples, [=] { return action(*options); });
  options->AddFlags(*command);
  return {command, options};
}

// One function for each family.
void AddServerCommands(CLI::App& app, Invocation& invocation);          // gateway, bank
void AddNetworkCommands(CLI::App& app, Invocation& invocation);         // init, up
void AddSessionCommands(CLI::App& app, Invocation& invocation);         // login, logout, whoami
void AddPayCommand(CLI::App& app, Invocation& invocation);              // pay
void AddQueueCommands(CLI::App& app, Invocation& invocation);           // queue …
void AddLookupCommands(CLI::App& app, Invocation& invocation);          // payment, history, balance
void AddPkiCommands(CLI::App& app, Invocation& invocation);             // pki …
void AddKeysCommands(CLI::App& app, Invocation& invocation);            // keys …
void AddUsersCommands(CLI::App& app, Invocation& invocation);           // users …
void AddAdminCommands(CLI::App& app, Invocation& invocation);           // admin …
void AddGatewayAdminCommands(CLI::App& admin, Invocation& invocation);  // of admin: those about the gateway
// admin trace; after AddAdminCommands.
void AddAdminTraceCommand(CLI::App& app, Invocation& invocation);
void AddAuditCommands(CLI::App& app, Invocation& invocation);  // audit …
void AddStatusCommand(CLI::App& app, Invocation& invocation);  // status
void AddTopCommand(CLI::App& app, Invocation& invocation);     // top
void AddTraceCommand(CLI::App& app, Invocation& invocation);   // trace
void AddVerifyCommand(CLI::App& app, Invocation& invocation);  // verify
void AddBenchCommands(CLI::App& app, Invocation& invocation);  // bench …
void AddSimCommand(CLI::App& app, Invocation& invocation);     // sim

void AddShellCommand(CLI::App& app, Invocation& invocation);       // shell
void AddCompletionCommand(CLI::App& app, Invocation& invocation);  // completion

// The families above as one, for the executable, and those of a client alone, for the shell.
void AddAllCommands(CLI::App& app, Invocation& invocation);
void AddClientCommands(CLI::App& app, Invocation& invocation);

// Reads the words, which come without the executable's name, runs the command they name and returns the exit status.
int RunCommand(CLI::App& app, Invocation& invocation, std::vector<std::string> words);

// The whole executable: reads the command line, runs the command, returns the exit status. Prints every error itself.
int Run(int argc, char** argv);

}  // namespace strife::cli
