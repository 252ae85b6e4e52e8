// status.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/duration.h"
#include "cli/status_report.h"

namespace strife::cli {
namespace {

constexpr Duration kInterval = std::chrono::seconds(1);  // between the two readings that make a rate

struct StatusOptions {
  std::string dir;
  std::vector<std::string> configs;
  std::string timeout = "3s";
  OutputFormat output = OutputFormat::kTable;
};

int StatusCommand(const StatusOptions& options) {
  const auto timeout = ParseDuration(options.timeout);
  if (!timeout || *timeout <= Duration::zero()) return ReportUsage("--timeout must be a duration such as 3s");
  if (options.dir.empty() && options.configs.empty()) {
    return ReportUsage("--dir or --config is missing; see strife status --help");
  }
  auto servers = ServersOf(options.dir, options.configs);
  if (!servers) return Report(servers.error());
  const StatusReport report = LookAt(*servers, kInterval, *timeout);
  if (options.output == OutputFormat::kJson) {
    PrintJson(StatusJson(report));
  } else {
    PrintText(StatusText(report));
  }
  return report.problems.empty() ? kExitDone : kExitFailed;
}

}  // namespace

void AddStatusCommand(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* command = AddCommand(app, invocation, "status",
                                 "How the servers on this machine are, and the banks as the gateway sees them",
                                 "  strife status --dir net\n"
                                 "  strife status --config /etc/strife/gateway.toml --output json\n"
                                 "\nExit status 1 when anything needs somebody.",
                                 [=] { return StatusCommand(*options); });
  CLI::Option* dir = command->add_option("--dir", options->dir, "Directory of a network made by strife init");
  command->add_option("--config", options->configs, "Configuration of the gateway or of a bank; repeat for each")
      ->excludes(dir);
  command->add_option("--timeout", options->timeout, "How long a server may take to answer [3s]");
  AddOutputFlag(*command, &options->output);
}

}  // namespace strife::cli
