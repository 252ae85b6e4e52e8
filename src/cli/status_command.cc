// status.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/duration.h"
#include "cli/status_report.h"

namespace strife::cli {
namespace {

constexpr Duration kInterval = std::chrono::seconds(1);  // between the two readings that make a rate

struct StatusOptions {
  ServerChoice servers;
  std::string timeout = "3s";
  OutputFormat output = OutputFormat::kTable;

  void AddFlags(CLI::App& command) {
    servers.AddFlags(command);
    command.add_option("--timeout", timeout, "How long a server may take to answer [3s]");
    AddOutputFlag(command, &output);
  }
};

int StatusCommand(const StatusOptions& options) {
  const auto timeout = ParseDuration(options.timeout);
  if (!timeout || *timeout <= Duration::zero()) return ReportUsage("--timeout must be a duration such as 3s");
  auto servers = options.servers.Read();
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
  AddCommandWith<StatusOptions>(app, invocation, "status",
                                "How the servers on this machine are, and the banks as the gateway sees them",
                                "  strife status --dir net\n"
                                "  strife status --config /etc/strife/gateway.toml --output json\n"
                                "\nExit status 1 when anything needs somebody.",
                                StatusCommand);
}

}  // namespace strife::cli
