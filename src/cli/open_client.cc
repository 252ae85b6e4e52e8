#include "cli/open_client.h"

#include "cli/output.h"

namespace strife::cli {

Result<std::unique_ptr<client::Client>> OpenClient(ClientOptions& options) {
  auto config = options.Load();
  if (!config) return std::unexpected(config.error());
  auto client = client::Client::Open(*config);
  if (!client) return client;
  (*client)->OnRetry([](const rpc::CallError& error, Duration delay) {
    auto tenths = delay / std::chrono::milliseconds(100);
    PrintError(error.error.message + "; trying again in " + std::to_string(tenths / 10) + "." +
               std::to_string(tenths % 10) + " s");
  });
  return client;
}

}  // namespace strife::cli
