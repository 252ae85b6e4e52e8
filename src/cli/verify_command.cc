// verify.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/network.h"
#include "cli/verification.h"

namespace strife::cli {
namespace {

struct VerifyOptions {
  ServerChoice servers;
  OutputFormat output = OutputFormat::kTable;

  void AddFlags(CLI::App& command) {
    servers.AddFlags(command);
    AddOutputFlag(command, &output);
  }
};

int VerifyCommand(const VerifyOptions& options) {
  auto servers = options.servers.Read();
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
  AddCommandWith<VerifyOptions>(app, invocation, "verify",
                                "Prove the books: every payment, leg by leg, at the gateway and all banks",
                                "  strife verify --dir net\n"
                                "  strife verify --config gateway.toml --config bank-bank1.toml\n"
                                "\nThe servers may be running. Exit status 1 when anything is wrong.",
                                VerifyCommand);
}

}  // namespace strife::cli
