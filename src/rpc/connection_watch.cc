#include "rpc/connection_watch.h"

#include <grpcpp/completion_queue.h>

#include <chrono>
#include <optional>

namespace strife::rpc {
namespace {

constexpr auto kStopCheck = std::chrono::milliseconds(200);

}  // namespace

ConnectionWatch::ConnectionWatch(std::function<Channels()> channels, std::function<void(bool)> changed)
    : channels_(std::move(channels)), changed_(std::move(changed)), thread_([this] { Run(); }) {}

ConnectionWatch::~ConnectionWatch() {
  stopping_ = true;
  thread_.join();
}

void ConnectionWatch::Run() {
  std::optional<bool> told;
  while (!stopping_) {
    bool ready = false, failed = true;
    const Channels channels = channels_();
    for (const auto& channel : channels) {
      const auto state = channel->GetState(true);
      ready |= state == GRPC_CHANNEL_READY;
      failed &= state == GRPC_CHANNEL_TRANSIENT_FAILURE;
    }
    // While it connects, as after a server has asked to connect anew, what was told last still holds.
    if ((ready || failed) && told != ready) {
      told = ready;
      changed_(ready);
    }
    const auto& watched = channels.front();
    watched->WaitForStateChange(watched->GetState(false), std::chrono::system_clock::now() + kStopCheck);
  }
}

}  // namespace strife::rpc
