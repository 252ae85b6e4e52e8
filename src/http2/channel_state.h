// ChannelState: what a channel is on the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "http2/channel.h"
#include "http2/channel_loop.h"
#include "http2/client_connection.h"
#include "http2/resolve.h"
#include "http2/tls.h"

namespace strife::http2 {

// All of it on the loop's thread.
class ChannelState : public std::enable_shared_from_this<ChannelState> {
 public:
  explicit ChannelState(Target target);

  void Call(std::shared_ptr<ClientCall> call);
  void Cancel(ClientCall& call);
  void Connect(std::function<void(const std::optional<std::string>&)> done);
  void KeepConnected(std::function<void(bool)> changed);
  // The channel's owner has gone.
  void Drop();

  // For the loop: a socket of it is ready; null: the one that is being connected.
  void OnSocket(ClientConnection* connection);
  // Does what is due, and writes what is to be written. When to be looked at again; nullopt: not by itself, and unless
  // somebody else has it, it is over.
  std::optional<MonotonicTime> Look(MonotonicTime now);
  // For calls: it is over.
  void Over(ClientCall& call) { deadlines_.erase({call.request_.deadline, &call}); }

 private:
  struct Established {
    std::unique_ptr<ClientConnection> connection;
    std::uint64_t watch;
    bool has_more = false;
  };

  void StartConnecting();
  void OnResolved(Result<std::vector<SocketAddress>> addresses);
  void TryNextAddress();
  void StartHandshake();
  void GoOnWithHandshake();
  void OnHandshake();
  void AttemptFailed(std::string why);
  void ConnectFailed();
  void OnSettled();
  void TellWaiters(const std::optional<std::string>& why_not);
  void CloseAttempt();
  // Makes them on the connection, or on the next.
  void Place(std::vector<std::shared_ptr<ClientCall>> calls);
  void LookAtCurrent();
  void LookAtLeaving();
  void Receive(Established& established);
  MonotonicTime Flush(Established& established);
  void ExpireCalls();
  void Abandon(ClientCall& call);
  void Close();
  bool IsReady() const { return current_ && current_->connection->settled() && current_->connection->takes_calls(); }

  ChannelLoop& loop_;
  const Target target_;
  TlsDialer dialer_;
  bool dropped_ = false;
  std::function<void(bool)> changed_;  // set: stays connected

  // An attempt to connect, while there is one.
  bool connecting_ = false;
  std::vector<SocketAddress> addresses_;
  std::size_t next_address_ = 0;
  std::shared_ptr<const Descriptor> socket_;  // of the attempt
  std::uint64_t watch_ = 0;
  std::unique_ptr<TlsChannel> tls_;
  MonotonicTime attempt_ends_;
  MonotonicTime address_ends_;  // the one that is being tried
  std::string failure_;         // of the last attempt
  Duration backoff_{};
  MonotonicTime next_attempt_;

  std::optional<Established> current_;
  std::vector<Established> leaving_;  // take no new calls
  std::vector<std::shared_ptr<ClientCall>> waiting_;
  std::vector<std::function<void(const std::optional<std::string>&)>> connect_waiters_;
  std::set<std::pair<MonotonicTime, ClientCall*>> deadlines_;  // of all calls that are not over
};

}  // namespace strife::http2
