#include "cli/operator_targets.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "cli/duration.h"
#include "security/credentials.h"

namespace strife::cli {

void OperatorOptions::AddFlags(CLI::App& command) {
  command.add_option("--config", config_file, "The operator's configuration, TOML");
  settings.AddFlags(command);
  AddOutputFlag(command, &output);
}

Result<OperatorTargets> OperatorOptions::ReadTargets() {
  std::optional<std::filesystem::path> file;
  if (!config_file.empty()) file = config_file;
  if (auto loaded = settings.Load(file); !loaded) return std::unexpected(loaded.error());
  const security::CredentialFiles files{config.ca_file, config.cert_file, config.key_file, config.crl_file};
  auto loaded = security::LoadCredentials(files, security::Role::kOperator, WallNow());
  if (!loaded) return std::unexpected(loaded.error());
  const auto own = std::make_shared<const security::Credentials>(*std::move(loaded));
  for (const std::string& sentence : security::EndingSoon(*own, files, WallNow())) PrintError(sentence);
  const std::string& domain = own->certificate.identity.trust_domain;
  OperatorTargets targets{{config.gateway, own, {domain, security::Role::kGateway, ""}, config.timeout}, {}};
  std::istringstream list(config.banks);
  for (std::string item; std::getline(list, item, ',');) {
    const auto begin = item.find_first_not_of(' ');
    const auto equals = item.find('=');
    if (begin == std::string::npos || equals == std::string::npos || equals <= begin || equals + 1 == item.size()) {
      return Fail(ErrorCode::kInvalidInput, "banks has \"" + item + "\"; write it as bank1=host:port,bank2=host:port");
    }
    targets.banks.push_back({item.substr(equals + 1),
                             own,
                             {domain, security::Role::kBank, item.substr(begin, equals - begin)},
                             config.timeout});
  }
  return targets;
}

}  // namespace strife::cli
