#include "http2/channel.h"

#include <utility>

#include "http2/channel_state.h"

namespace strife::http2 {

Channel::Channel(Target target) : state_(std::make_shared<ChannelState>(std::move(target))) {}

Channel::~Channel() {
  ChannelLoop::Shared().Post([state = state_] { state->Drop(); });
}

std::shared_ptr<ClientCall> Channel::Call(ClientRequest request, std::move_only_function<void(Outcome)> done) {
  auto call = std::make_shared<ClientCall>(std::move(request), std::move(done));
  ChannelLoop::Shared().Post([state = state_, call] { state->Call(call); });
  return call;
}

void Channel::Cancel(std::shared_ptr<ClientCall> call) {
  ChannelLoop::Shared().Post([state = state_, call = std::move(call)] { state->Cancel(*call); });
}

void Channel::Connect(std::function<void(const std::optional<std::string>& why_not)> done) {
  ChannelLoop::Shared().Post([state = state_, done = std::move(done)]() mutable { state->Connect(std::move(done)); });
}

void Channel::KeepConnected(std::function<void(bool connected)> changed) {
  ChannelLoop::Shared().Post(
      [state = state_, changed = std::move(changed)]() mutable { state->KeepConnected(std::move(changed)); });
}

}  // namespace strife::http2
