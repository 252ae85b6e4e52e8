// Mutual TLS on sockets that do not block.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"
#include "http2/call.h"
#include "http2/sockets.h"
#include "security/live_credentials.h"

namespace strife::http2 {

// One connection's. For one thread at a time.
class TlsChannel {
 public:
  TlsChannel(std::unique_ptr<SSL, decltype(&SSL_free)> ssl, std::shared_ptr<const Descriptor> socket);
  // Says goodbye, if the handshake was made, and shuts the socket down.
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  enum class Progress {
    kDone,
    kWaiting,  // for the socket
    kEnded,    // by the peer, or by an error: the channel is of no more use
  };
  // Done also means that the peer has a certificate of a CA of ours and wants HTTP/2.
  Progress Handshake();
  // `bytes`: how many were read, at least one when done.
  Progress Read(std::span<unsigned char> to, std::size_t& bytes);
  // `bytes`: how many were written. What waits must be offered again from the same byte on.
  Progress Write(std::span<const unsigned char> from, std::size_t& bytes);

  // What it is waiting for, when it is waiting.
  bool wants_to_write() const { return SSL_want_write(ssl_.get()) != 0; }
  // Who has shown which certificate, after the handshake; without a name.
  Peer Describe() const;
  const Descriptor& socket() const { return *socket_; }
  // Why it has ended, in a few words.
  std::string Failure() const;

 private:
  Progress Judge(int result);

  const std::shared_ptr<const Descriptor> socket_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  bool made_ = false;
  bool broken_ = false;
  unsigned long error_ = 0;  // of OpenSSL
  int system_error_ = 0;     // errno
};

// Makes channels with the process's credentials as they are at each moment. For one thread at a time; the credentials
// must outlive it.
class TlsAcceptor {
 public:
  explicit TlsAcceptor(const security::LiveCredentials& credentials) : credentials_(credentials) {}

  // kInternal when OpenSSL cannot make one.
  Result<std::unique_ptr<TlsChannel>> Accept(std::shared_ptr<const Descriptor> socket);

 private:
  Status Renew();

  const security::LiveCredentials& credentials_;
  std::shared_ptr<const security::Credentials> used_;  // of context_
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
};

// The client's side: with these credentials, to whoever proves to be `expected`, whatever its host name: in Strife the
// identity is the name. For one thread at a time.
class TlsDialer {
 public:
  TlsDialer(std::shared_ptr<const security::Credentials> credentials, security::Identity expected)
      : credentials_(std::move(credentials)), expected_(std::move(expected)) {}

  // `socket` is connected. `host` is told to whoever may pass the connection on by name, unless it is an address.
  // kInternal when OpenSSL cannot make one.
  Result<std::unique_ptr<TlsChannel>> Dial(std::shared_ptr<const Descriptor> socket, const std::string& host);
  // After the handshake: whether it is the right peer, and not revoked.
  Status Verify(const TlsChannel& channel, WallTime now) const;

 private:
  const std::shared_ptr<const security::Credentials> credentials_;
  const security::Identity expected_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
};

}  // namespace strife::http2
