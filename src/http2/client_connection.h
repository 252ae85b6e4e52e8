// ClientConnection: a channel's connection to a server, once the TLS handshake is made.
#pragma once

#include <nghttp2/nghttp2.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "http2/client_call.h"
#include "http2/link.h"

namespace strife::http2 {

// For one thread.
class ClientConnection {
 public:
  // `authority`: whom the connection is to, host:port.
  ClientConnection(std::unique_ptr<TlsChannel> tls, std::string authority, MonotonicTime now);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  void Begin(std::shared_ptr<ClientCall> call, MonotonicTime now);
  // The call is over for its caller; the server is told.
  void Abandon(ClientCall& call);

  // The socket has something: true when there may be more, which the socket no longer tells.
  bool Receive(MonotonicTime now);
  // Writes what there is to write. To be called after any of the others.
  void Flush() { link_.Flush(); }
  // Asks whether the server is still there; when to be called next.
  MonotonicTime Tick(MonotonicTime now);

  // Whether the server has let us in: with TLS 1.3 it says no only after the handshake.
  bool settled() const { return settled_; }
  // Whether it takes new calls.
  bool takes_calls() const { return !leaving_ && !link_.ended(); }
  bool ended() const { return link_.ended(); }
  std::size_t calls() const { return calls_.size(); }
  const Link& link() const { return link_; }

  // Calls that the server has certainly not looked at: to be made on another connection.
  std::vector<std::shared_ptr<ClientCall>> TakeUntouched() { return std::exchange(untouched_, {}); }
  // The connection has ended: fails the calls that were under way, and the others become untouched.
  void EndCalls();

 private:
  struct Callbacks;

  void OnHeader(ClientCall& call, std::string_view name, std::string_view value);
  void OnData(ClientCall& call, std::string_view bytes);
  void OnClosed(std::int32_t stream, std::uint32_t error);
  ssize_t ReadRequest(ClientCall& call, std::uint8_t* to, std::size_t size, std::uint32_t* flags);

  Link link_;
  const std::string authority_;
  std::unordered_map<std::int32_t, std::shared_ptr<ClientCall>> calls_;  // by stream
  std::vector<std::shared_ptr<ClientCall>> untouched_;
  MonotonicTime received_at_;  // anything, or the first call after none
  bool settled_ = false;
  bool pinging_ = false;
  bool leaving_ = false;  // the server has said goodbye
};

}  // namespace strife::http2
