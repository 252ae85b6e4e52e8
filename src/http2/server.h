// The transport of a gRPC server: HTTP/2 over mutual TLS, and gRPC's way of using it. Knows nothing of what is called.
//
// Our own rather than gRPC's, over nghttp2 and OpenSSL; docs/decisions/0016-nghttp2.md says why.
#pragma once

#include <memory>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "env/clock.h"
#include "http2/loop.h"
#include "http2/tls.h"
#include "security/live_credentials.h"

namespace strife::http2 {

struct ServerSettings {
  const security::LiveCredentials* credentials =
      nullptr;                 // as they are when a connection comes; must outlive the server
  Handler* handler = nullptr;  // must outlive the server
  Duration longest_call{};     // those that last longer are ended
  std::size_t request_memory_bytes = limits::kMaxRequestMemoryBytes;  // of all requests under way
};

// Thread-safe, except where said. REQUIRES: the process ignores SIGPIPE.
class Server {
 public:
  Server(const ServerSettings& settings, Clock& clock);
  // Ends everything.
  ~Server();

  // Takes a connection that has been accepted, `name` being its peer's address and port, until it has ended, of which
  // Handler::Left tells. For one thread at a time. kInternal when OpenSSL will not have it.
  Status Adopt(std::shared_ptr<const Descriptor> socket, std::string name);

  // Takes no new calls, and returns when those under way have been answered, or after `grace`.
  void Drain(Duration grace);

 private:
  Handler& handler_;
  Clock& clock_;
  TlsAcceptor acceptor_;
  const std::shared_ptr<RequestMemory> memory_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::size_t next_ = 0;              // of loops_; of the handshakes' thread
  std::unique_ptr<Loop> handshakes_;  // before the loops it hands over to: they take a thousand times as long as a call
};

}  // namespace strife::http2
