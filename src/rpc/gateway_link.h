// A bank's connection to the gateway: registering, heartbeats, inquiries.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "protocol/types.h"
#include "rpc/gateway_api.h"
#include "security/live_credentials.h"

namespace strife::rpc {

// Thread-safe. Calls never block; answers come on the channels' thread.
class GatewayLink {
 public:
  struct Options {
    std::string address;                                     // host:port
    const security::LiveCredentials* credentials = nullptr;  // must outlive the link
    Duration call_timeout;
  };

  explicit GatewayLink(Options options);
  // Cancels what is in flight and waits until it has been answered.
  ~GatewayLink();

  void Register(const RegistrationRequest& request, std::function<void(Result<Registration>)> done);
  void Inquire(const InquiryRequest& request, std::function<void(Result<InquiryResponse>)> done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace strife::rpc
