// verify.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/configs.h"
#include "cli/verification.h"
#include "security/secure_file.h"

namespace strife::cli {
namespace {

struct VerifyOptions {
  std::string dir;
  std::vector<std::string> configs;
  OutputFormat output = OutputFormat::kTable;
};

// A server from its configuration file alone; a bank's id is the name in its certificate.
Result<NetworkServer> ServerOf(const std::filesystem::path& file) {
  NetworkServer server{.name = "gateway",
                       .role = security::Role::kGateway,
                       .config_file = file,
                       .listen = {},
                       .data_dir = {},
                       .log_dir = {}};
  gateway::GatewayConfig gateway_config;
  if (GatewaySettings(&gateway_config).LoadFileOnly(file)) {
    server.data_dir = gateway_config.data_dir;
    return server;
  }
  bank::BankConfig bank_config;
  if (auto loaded = BankSettings(&bank_config).LoadFileOnly(file); !loaded) return std::unexpected(loaded.error());
  auto pem = security::ReadFile(bank_config.cert_file);
  if (!pem) return std::unexpected(pem.error());
  auto certificate = security::ParseCertificatePem(*pem);
  if (!certificate) return std::unexpected(certificate.error());
  server.name = certificate->identity.name;
  server.role = security::Role::kBank;
  server.data_dir = bank_config.data_dir;
  return server;
}

Result<std::vector<NetworkServer>> ServersOf(const VerifyOptions& options) {
  if (!options.dir.empty()) {
    auto network = ReadNetwork(options.dir);
    if (!network) return std::unexpected(network.error());
    return network->servers;
  }
  std::vector<NetworkServer> servers;
  for (const std::string& file : options.configs) {
    auto server = ServerOf(file);
    if (!server) return std::unexpected(server.error());
    servers.push_back(std::move(*server));
  }
  return servers;
}

int VerifyCommand(const VerifyOptions& options) {
  if (options.dir.empty() && options.configs.empty()) {
    return ReportUsage("--dir or --config is missing; see strife verify --help");
  }
  auto servers = ServersOf(options);
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
