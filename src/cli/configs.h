// Which setting fills which field of which configuration, and where the client looks for its own.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bank/config.h"
#include "base/result.h"
#include "cli/output.h"
#include "cli/settings.h"
#include "client/config.h"
#include "gateway/config.h"

namespace CLI {
class App;
}

namespace strife::cli {

// The configuration must outlive the settings.
Settings GatewaySettings(gateway::GatewayConfig* config);
Settings BankSettings(bank::BankConfig* config);
Settings ClientSettings(client::ClientConfig* config);

// Where an operator's commands go, and as whom.
struct OperatorConfig {
  std::string gateway = "127.0.0.1:50052";  // host:port
  std::string banks;                        // "bank1=host:port,bank2=host:port"
  std::filesystem::path ca_file;
  std::filesystem::path cert_file;
  std::filesystem::path key_file;
  std::filesystem::path crl_file;
  Duration timeout = std::chrono::seconds(5);
};
Settings OperatorSettings(OperatorConfig* config);

// --config, else STRIFE_CONFIG, else ./client.toml, else ~/.config/strife/client.toml; absent when there is none of
// them. Only the last two may be missing: a named file that does not exist is left to Settings::Load to report.
std::optional<std::filesystem::path> FindClientConfig(const std::string& config_flag);

// The client's settings as flags of one command.
class ClientOptions {
 public:
  // Adds --config, --profile and one flag for each setting. Must outlive the parsing of the command line.
  explicit ClientOptions(CLI::App& command);

  // With a profile, the session, the queue and the log are in the folder profiles/NAME of data_dir and log_dir.
  Result<client::ClientConfig> Load();
  // What was given on the command line, as words for another one.
  std::vector<std::string> GivenFlags() const;

 private:
  std::string config_flag_;
  std::string profile_;
  client::ClientConfig config_;
  Settings settings_;
};

// What a command of a client can be told.
struct ClientCommandOptions {
  std::optional<ClientOptions> client;
  OutputFormat output = OutputFormat::kTable;

  // Adds the flags of both. Must outlive the parsing of the command line.
  void AddFlags(CLI::App& command);
};

}  // namespace strife::cli
