// GatewayConnection: GatewayClient's way to one of the gateway's endpoints, with credentials that may change.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "rpc/connection_watch.h"
#include "rpc/gateway_client.h"
#include "security/live_credentials.h"
#include "strife/v1/gateway.grpc.pb.h"

namespace strife::rpc {

// Thread-safe.
class GatewayConnection {
 public:
  using Stub = v1::PaymentGateway::Stub;
  struct Channel {
    std::shared_ptr<grpc::Channel> channel;
    std::shared_ptr<Stub> stub;
  };

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
  Channel Current();
  // One that is connected: until then nothing has been sent, whatever goes wrong.
  CallResult<Channel> Connected(std::chrono::system_clock::time_point deadline);
  // The next call makes a new connection, to the next endpoint.
  void Abandon(const std::shared_ptr<grpc::Channel>& failed);
  // Nothing is connected any more.
  void Cancel() { cancelled_ = true; }
  bool cancelled() const { return cancelled_; }

  // One to each endpoint, which connect again by themselves.
  ConnectionWatch::Channels WatchedChannels(const std::shared_ptr<const security::Credentials>& current) const;

  CallError NotSent(const std::string& reason) const;

 private:
  std::shared_ptr<grpc::ChannelCredentials> Tls(const security::Credentials& current) const;
  // Why the channel cannot be used, if it cannot.
  std::optional<std::string> WaitUntilReady(grpc::Channel& connecting, Stub& current,
                                            std::chrono::system_clock::time_point deadline);

  const GatewayClientOptions options_;
  const std::unique_ptr<security::LiveCredentials> credentials_;
  std::function<void(const std::string&)> refused_credentials_;
  std::atomic<bool> cancelled_ = false;
  mutable std::mutex mutex_;
  WallTime next_credentials_check_;  // guarded, as all below
  std::shared_ptr<const security::Credentials> dialled_with_;
  std::size_t chosen_ = 0;                  // index of the endpoint in use
  std::shared_ptr<grpc::Channel> channel_;  // null: to be made anew
  std::shared_ptr<Stub> stub_;
};

}  // namespace strife::rpc
