// Link: an HTTP/2 session over TLS: what comes goes into it, what it has to say goes out. Either side's.
#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "http2/tls.h"

namespace strife::http2 {

// What a peer may have on its way to us before it is told that there is room for more.
inline constexpr std::int32_t kStreamWindowBytes = std::int32_t{256} << 10;
inline constexpr std::int32_t kConnectionWindowBytes = std::int32_t{4} << 20;

// For one thread at a time.
class Link {
 public:
  explicit Link(std::unique_ptr<TlsChannel> tls) : tls_(std::move(tls)) {}
  ~Link() { nghttp2_session_del(session_); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  TlsChannel& tls() { return *tls_; }
  const TlsChannel& tls() const { return *tls_; }

  // Once the handshake is made. Takes the session over.
  void Begin(nghttp2_session* session) { session_ = session; }
  nghttp2_session* session() const { return session_; }

  enum class Receipt {
    kAll,   // that there was
    kMore,  // may be there, which the socket no longer tells
    kNone,
  };
  // No more is read at once than others can wait for.
  Receipt Receive();
  // Writes what there is to write, as far as the socket takes it.
  void Flush();

  // Nothing more can come of it.
  bool ended() const { return ended_; }
  void End() { ended_ = true; }
  // What the socket is to be watched for: the peer's bytes are left to the kernel while it does not take ours.
  bool wants_to_read() const { return out_.size() - out_offset_ < kMaxUnwritten; }
  bool wants_to_write() const { return out_offset_ < out_.size(); }
  std::uint32_t epoll_events() const;

 private:
  static constexpr std::size_t kMaxUnwritten = std::size_t{256} << 10;

  void GatherOutput();

  std::unique_ptr<TlsChannel> tls_;
  nghttp2_session* session_ = nullptr;
  std::string out_;  // bytes of HTTP/2 that are to be written
  std::size_t out_offset_ = 0;
  bool ended_ = false;
};

// For nghttp2, which copies both.
nghttp2_nv Header(std::string_view name, std::string_view value);

}  // namespace strife::http2
