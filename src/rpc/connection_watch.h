// Tells when a server comes within reach and when it is gone.
#pragma once

#include <grpcpp/channel.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace strife::rpc {

// Keeps trying to connect all channels, which it should have for itself, on a thread of its own.
class ConnectionWatch {
 public:
  using Channels = std::vector<std::shared_ptr<grpc::Channel>>;

  // `channels` gives those to watch; it is asked every moment and may give others at any time. `changed` runs on the
  // watch's thread: true when one of the channels is connected and none was, or false when none is any more; the first
  // time as soon as it is known.
  ConnectionWatch(std::function<Channels()> channels, std::function<void(bool)> changed);
  ~ConnectionWatch();

 private:
  void Run();

  const std::function<Channels()> channels_;
  const std::function<void(bool)> changed_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace strife::rpc
