// Where an operator's commands go, and as whom.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/configs.h"
#include "cli/output.h"
#include "cli/settings.h"
#include "rpc/admin_client.h"

namespace CLI {
class App;
}

namespace strife::cli {

struct OperatorTargets {
  rpc::AdminTarget gateway;
  std::vector<rpc::AdminTarget> banks;
};

// What all commands of an operator have in common.
struct OperatorOptions {
  std::string config_file;
  OperatorConfig config;
  Settings settings = OperatorSettings(&config);
  OutputFormat output = OutputFormat::kTable;

  // Adds --config, --output and one flag for each setting. Must outlive the parsing of the command line.
  void AddFlags(CLI::App& command);
  // Reads the configuration and checks that the certificate is an operator's.
  Result<OperatorTargets> ReadTargets();
};

}  // namespace strife::cli
