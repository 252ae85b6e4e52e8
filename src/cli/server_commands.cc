// gateway, bank.
#include <CLI/CLI.hpp>

#include "bank/bank.h"
#include "cli/command.h"
#include "cli/configs.h"
#include "cli/output.h"
#include "gateway/gateway.h"

namespace strife::cli {
namespace {

// A server's configuration as settings of its command.
template <typename Config>
struct ServerOptions {
  explicit ServerOptions(Settings (*make_settings)(Config*)) : settings(make_settings(&config)) {}

  Config config;
  Settings settings;
  std::string config_file;
};

template <typename Config>
void AddServer(CLI::App& app, Invocation& invocation, const std::string& name, const std::string& description,
               const std::string& examples, Settings (*make_settings)(Config*),
               Status (*serve)(const Config&, const std::function<Result<Config>()>&)) {
  auto options = std::make_shared<ServerOptions<Config>>(make_settings);
  CLI::App* command = AddCommand(app, invocation, name, description, examples, [=] {
    std::optional<std::filesystem::path> file;
    if (!options->config_file.empty()) file = options->config_file;
    const auto load = [options, file]() -> Result<Config> {
      if (auto loaded = options->settings.Load(file); !loaded) return std::unexpected(loaded.error());
      return options->config;
    };
    auto config = load();
    if (!config) return Report(config.error());
    auto served = serve(*config, load);
    return served ? static_cast<int>(kExitDone) : Report(served.error());
  });
  command->add_option("--config", options->config_file, "Configuration, TOML");
  options->settings.AddFlags(*command);
}

}  // namespace

void AddServerCommands(CLI::App& app, Invocation& invocation) {
  AddServer<gateway::GatewayConfig>(
      app, invocation, "gateway",
      "Run the gateway in the foreground; SIGTERM drains it, SIGHUP reloads users, revocation list and "
      "log level",
      "  strife gateway --config net/gateway.toml\n"
      "  STRIFE_LOG_LEVEL=debug strife gateway --config net/gateway.toml",
      &GatewaySettings, &gateway::RunGateway);
  AddServer<bank::BankConfig>(
      app, invocation, "bank",
      "Run a bank in the foreground; SIGTERM drains it, SIGHUP reloads revocation list and log level",
      "  strife bank --config net/bank-bank1.toml", &BankSettings, &bank::RunBank);
}

}  // namespace strife::cli
