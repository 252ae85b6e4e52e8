// Opening the client for a command.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "cli/configs.h"
#include "client/client.h"

namespace strife::cli {

// A client that Ctrl-C cancels, to be used like a pointer to it.
class OpenedClient {
 public:
  client::Client* operator->() const;
  client::Client& operator*() const;
  std::stop_token token() const;

  OpenedClient(OpenedClient&&) noexcept;
  ~OpenedClient();

 private:
  friend Result<OpenedClient> OpenClient(ClientOptions& options);
  struct Parts;
  explicit OpenedClient(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

// The client as the command's settings say; it tells on standard error when it tries again.
Result<OpenedClient> OpenClient(ClientOptions& options);

// "…; trying again in 3.1 s".
std::string RetrySentence(const rpc::CallError& error, Duration delay);

}  // namespace strife::cli
