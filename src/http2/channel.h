// Channel: a client's way to one server, which connects when it is needed and connects again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "http2/client_call.h"
#include "security/credentials.h"

namespace strife::http2 {

struct Target {
  std::string address;                                         // host:port
  std::shared_ptr<const security::Credentials> credentials;    // for good: new ones want a new channel
  security::Identity expected;                                 // whom the server must prove to be
  Duration shortest_backoff = std::chrono::milliseconds(100);  // after a failed attempt to connect
  Duration longest_backoff = std::chrono::seconds(1);
};

class ChannelState;

// Thread-safe. Callbacks run on a thread that all channels of the process share: they must not block.
class Channel {
 public:
  explicit Channel(Target target);
  // Calls under way go on.
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // `done` is called exactly once. What cannot be connected fails at once with kUnavailable, as do calls within the
  // backoff after that. A call that a server has certainly not looked at is made again on another connection.
  std::shared_ptr<ClientCall> Call(ClientRequest request, std::move_only_function<void(Outcome)> done);
  // The call is over with kCancelled, unless it is already.
  void Cancel(std::shared_ptr<ClientCall> call);

  // Connects, unless it is connected, whatever the backoff says. `done` is told when it is, or why it could not.
  void Connect(std::function<void(const std::optional<std::string>& why_not)> done);
  // From now on it connects by itself. `changed` is told when it has, and when it cannot any more.
  void KeepConnected(std::function<void(bool connected)> changed);

 private:
  const std::shared_ptr<ChannelState> state_;
};

}  // namespace strife::http2
