// GatewayConnection: GatewayClient's way to one of the gateway's endpoints, with credentials that may change.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "http2/channel.h"
#include "rpc/gateway_client.h"
#include "security/live_credentials.h"

namespace strife::rpc {

// Thread-safe.
class GatewayConnection {
 public:
  GatewayConnection(const GatewayClientOptions& options, std::unique_ptr<security::LiveCredentials> credentials)
      : options_(options), credentials_(std::move(credentials)) {}

  // As GatewayClient::OnRefusedCredentials.
  void OnRefusedCredentials(std::function<void(const std::string&)> told) { refused_credentials_ = std::move(told); }

  // The endpoint in use.
  std::string Endpoint() const;
  // The credentials that were looked at last.
  std::shared_ptr<const security::Credentials> Credentials() const { return credentials_->current(); }
  // The credentials as their files are now, looked at now and then.
  std::shared_ptr<const security::Credentials> CurrentCredentials();
  // The channel in use, whether or not it is connected.
  std::shared_ptr<http2::Channel> Current();
  // One that is connected: until then nothing has been sent, whatever goes wrong.
  CallResult<std::shared_ptr<http2::Channel>> Connected(MonotonicTime deadline);
  // The next call makes a new connection, to the next endpoint.
  void Abandon(const std::shared_ptr<http2::Channel>& failed);
  // Nothing is connected any more.
  void Cancel();
  bool cancelled() const;

  // One to each endpoint, which stay connected; `changed(i, connected)` is called on the channels' thread.
  std::vector<std::unique_ptr<http2::Channel>> WatchedChannels(
      const std::shared_ptr<const security::Credentials>& current,
      const std::function<void(std::size_t, bool)>& changed) const;

  CallError NotSent(const std::string& reason) const;

 private:
  http2::Target TargetAt(const std::string& endpoint, std::shared_ptr<const security::Credentials> current) const;
  // Why the channel cannot be used, if it cannot.
  std::optional<std::string> WaitUntilConnected(http2::Channel& channel, MonotonicTime deadline);

  const GatewayClientOptions options_;
  const std::unique_ptr<security::LiveCredentials> credentials_;
  std::function<void(const std::string&)> refused_credentials_;
  // What those that wait for a connection share with whoever tells them, who may come when all this is gone.
  struct Signal {
    std::mutex mutex;
    std::condition_variable changed;
    bool cancelled = false;  // guarded
  };
  const std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
  mutable std::mutex mutex_;
  WallTime next_credentials_check_;  // guarded, as all below
  std::shared_ptr<const security::Credentials> dialled_with_;
  std::size_t chosen_ = 0;                   // index of the endpoint in use
  std::shared_ptr<http2::Channel> channel_;  // null: to be made anew
};

}  // namespace strife::rpc
