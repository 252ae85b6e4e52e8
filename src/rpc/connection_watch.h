// Tells when a server comes within reach and when it is gone.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "rpc/gateway_connection.h"

namespace strife::rpc {

// Keeps connections of its own to all endpoints of the gateway.
class ConnectionWatch {
 public:
  // `changed` runs on the watch's thread: true when one endpoint is connected and none was, or false when none is any
  // more; the first time as soon as it is known. `connection` must outlive it.
  ConnectionWatch(GatewayConnection& connection, std::function<void(bool)> changed);
  ~ConnectionWatch();

 private:
  // What the channels tell, also when the watch is gone.
  struct Seen {
    std::mutex mutex;
    std::condition_variable changed;
    bool stopping = false;                          // guarded, as below
    std::vector<std::optional<bool>> is_connected;  // by endpoint; nullopt: not known yet
  };

  void Run();

  GatewayConnection& connection_;
  const std::function<void(bool)> changed_;
  std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
  std::thread thread_;
};

}  // namespace strife::rpc
