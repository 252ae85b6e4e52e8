// verify.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/network.h"
#include "cli/verification.h"

namespace strife::cli {
namespace {

struct VerifyOptions {
  std::string dir;
  std::vector<std::string> configs;
  OutputFormat output = OutputFormat::kTable;
};

int VerifyCommand(const VerifyOptions& options) {
  if (options.dir.empty() && options.configs.empty()) {
    return ReportUsage("--dir or --config is missing; see strife verify --help");
  }
  auto servers = ServersOf(options.dir, options.configs);
  if (!servers) return Report(servers.error());
  auto report = VerifyBooks(*servers, options.output == OutputFormat::kTable);
  if (!report) return Report(report.error());
  if (options.output == OutputFormat::kJson) {
    PrintJson(ReportJson(*report));
  } else {
    PrintText(ReportText(*report));
  }
  if (report->ok()) return kExitDone;
  PrintError(ReportVerdict(*report));
  return kExitFailed;
}

}  // namespace

void AddVerifyCommand(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command =
      AddCommand(app, invocation, "verify", "Prove the books: every payment, leg by leg, at the gateway and all banks",
                 "  strife verify --dir net\n"
                 "  strife verify --config gateway.toml --config bank-bank1.toml\n"
                 "\nThe servers may be running. Exit status 1 when anything is wrong.",
                 [=] { return VerifyCommand(*options); });
  CLI::Option* dir = command->add_option("--dir", options->dir, "Directory of a network made by strife init");
  command->add_option("--config", options->configs, "Configuration of the gateway or of a bank; repeat for each")
      ->excludes(dir);
  AddOutputFlag(*command, &options->output);
}

}  // namespace strife::cli
