#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/settings.h"
#include "security/core_dumps.h"

namespace strife::cli {
namespace {

// "strife pki issue" for the innermost command named, and the command itself.
std::pair<std::string, CLI::App*> NamedCommand(CLI::App& app) {
  std::string path = "strife";
  CLI::App* command = &app;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    path += " " + command->get_name();
  }
  return {path, command};
}

// One sentence for what is wrong with the command line.
std::string Describe(const CLI::ParseError& error, CLI::App& app) {
  auto [path, command] = NamedCommand(app);
  std::string help = "; see " + path + " --help";
  std::vector<std::string> names;
  for (const CLI::App* subcommand : command->get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(subcommand->get_name());
  }
  std::vector<std::string> left = app.remaining(true);
  if (!names.empty()) {
    if (left.empty()) return path + " needs a command" + help;
    std::string nearest = NearestName(left.front(), names);
    bool is_flag = left.front().starts_with("-");
    return path + (is_flag ? " has no flag \"" : " has no command \"") + left.front() + "\"" +
           (nearest.empty() || is_flag ? "" : ", did you mean " + nearest + "?") + help;
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !left.empty()) {
    return path + " does not take \"" + left.front() + "\"" + help;
  }
  std::string what = error.what();
  std::replace(what.begin(), what.end(), '\n', ' ');
  return what.substr(0, what.find_last_not_of(" .") + 1) + help;
}

int Dispatch(int argc, char** argv) {
  CLI::App app(
      "Strife: an interbank payment gateway. Banks keep the accounts, the gateway moves money between them "
      "atomically, and every payment happens exactly once or not at all.",
      "strife");
  app.set_version_flag("--version", "strife " STRIFE_VERSION);
  app.set_help_all_flag("--help-all", "Help for every command");
  app.footer("A network on this machine in two commands:\n  strife init --dir net\n  strife up --dir net");
  Invocation invocation;
  AddAllCommands(app, invocation);
  return RunCommand(app, invocation, {argv + 1, argv + argc});
}

}  // namespace

CLI::App* AddCommand(CLI::App& parent, Invocation& invocation, const std::string& name, const std::string& description,
                     const std::string& examples, std::function<int()> action) {
  CLI::App* command = parent.add_subcommand(name, description);
  if (!examples.empty()) command->footer("Examples:\n" + examples);
  command->callback([&invocation, run = std::move(action)] { invocation.run = run; });
  return command;
}

void AddClientCommands(CLI::App& app, Invocation& invocation) {
  AddSessionCommands(app, invocation);
  AddPayCommand(app, invocation);
  AddQueueCommands(app, invocation);
  AddLookupCommands(app, invocation);
  AddTraceCommand(app, invocation);
}

void AddAllCommands(CLI::App& app, Invocation& invocation) {
  AddNetworkCommands(app, invocation);
  AddServerCommands(app, invocation);
  AddClientCommands(app, invocation);
  AddShellCommand(app, invocation);
  AddKeysCommands(app, invocation);
  AddUsersCommands(app, invocation);
  AddPkiCommands(app, invocation);
  AddAdminCommands(app, invocation);
  AddAdminTraceCommand(app, invocation);
  AddStatusCommand(app, invocation);
  AddTopCommand(app, invocation);
  AddVerifyCommand(app, invocation);
  AddAuditCommands(app, invocation);
  AddBenchCommands(app, invocation);
  AddSimCommand(app, invocation);
  AddCompletionCommand(app, invocation);
}

int RunCommand(CLI::App& app, Invocation& invocation, std::vector<std::string> words) {
  app.require_subcommand(1);
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    app.parse(words);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    return ReportUsage(Describe(error, app));
  }
  return invocation.run();
}

int Run(int argc, char** argv) {
  security::ForbidCoreDumps();
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const int status = Dispatch(argc, argv);
    const Status written = FlushOutput();
    if (!written) PrintError(written.error().message);
    return status == kExitDone && !written ? kExitFailed : status;
  } catch (const std::exception& error) {
    return Report({ErrorCode::kInternal, std::string("internal error: ") + error.what()});
  }
}

}  // namespace strife::cli
