#include "cli/open_client.h"

#include <functional>
#include <optional>

#include "cli/interrupt.h"
#include "cli/output.h"

namespace strife::cli {

struct OpenedClient::Parts {
  Interrupt interrupt;  // comes first: it must be there before any other thread
  std::unique_ptr<client::Client> client;
  std::optional<std::stop_callback<std::function<void()>>> cancel;
};

OpenedClient::OpenedClient(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
OpenedClient::OpenedClient(OpenedClient&&) noexcept = default;
OpenedClient::~OpenedClient() = default;

client::Client* OpenedClient::operator->() const { return parts_->client.get(); }
client::Client& OpenedClient::operator*() const { return *parts_->client; }
std::stop_token OpenedClient::token() const { return parts_->interrupt.token(); }

std::string RetrySentence(const rpc::CallError& error, Duration delay) {
  const auto tenths = delay / std::chrono::milliseconds(100);
  return error.error.message + "; trying again in " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) +
         " s";
}

Result<OpenedClient> OpenClient(ClientOptions& options) {
  auto config = options.Load();
  if (!config) return std::unexpected(config.error());
  auto parts = std::make_unique<OpenedClient::Parts>();
  auto client = client::Client::Open(*config);
  if (!client) return std::unexpected(client.error());
  parts->client = std::move(*client);
  parts->client->OnRetry([](const rpc::CallError& error, Duration delay) { PrintError(RetrySentence(error, delay)); });
  parts->cancel.emplace(parts->interrupt.token(), [raw = parts->client.get()] { raw->Cancel(); });
  return OpenedClient(std::move(parts));
}

}  // namespace strife::cli
