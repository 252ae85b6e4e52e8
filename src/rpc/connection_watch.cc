#include "rpc/connection_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace strife::rpc {
namespace {

constexpr auto kCredentialsCheck = std::chrono::milliseconds(500);

}  // namespace

ConnectionWatch::ConnectionWatch(GatewayConnection& connection, std::function<void(bool)> changed)
    : connection_(connection), changed_(std::move(changed)), thread_([this] { Run(); }) {}

ConnectionWatch::~ConnectionWatch() {
  {
    const std::lock_guard lock(seen_->mutex);
    seen_->stopping = true;
    seen_->changed.notify_all();
  }
  thread_.join();
}

void ConnectionWatch::Run() {
  std::optional<bool> told;
  std::shared_ptr<const security::Credentials> dialled_with;
  std::vector<std::unique_ptr<http2::Channel>> channels;
  while (true) {
    auto current = connection_.CurrentCredentials();
    std::vector<std::unique_ptr<http2::Channel>> made;
    if (current != dialled_with) {
      made = connection_.WatchedChannels(current, [seen = seen_](std::size_t i, bool connected) {
        const std::lock_guard lock(seen->mutex);
        if (seen->is_connected.size() <= i) seen->is_connected.resize(i + 1);
        seen->is_connected[i] = connected;
        seen->changed.notify_all();
      });
      dialled_with = std::move(current);
      channels.swap(made);
    }
    std::unique_lock lock(seen_->mutex);
    const auto known = [&] {
      const auto& states = seen_->is_connected;
      const bool any = std::ranges::count(states, true) > 0;
      const bool none = states.size() == channels.size() && std::ranges::count(states, false) == std::ssize(states);
      return any || none ? std::optional(any) : std::nullopt;
    };
    seen_->changed.wait_for(lock, kCredentialsCheck, [&] {
      const auto now = known();
      return seen_->stopping || (now && now != told);
    });
    if (seen_->stopping) return;
    const auto now = known();
    lock.unlock();
    // While it connects, as after a server has asked to connect anew, what was told last still holds.
    if (now && now != told) changed_(*(told = now));
  }
}

}  // namespace strife::rpc
