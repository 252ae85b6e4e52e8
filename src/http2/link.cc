#include "http2/link.h"

#include <sys/epoll.h>

#include <algorithm>

namespace strife::http2 {
namespace {

constexpr std::size_t kRecordBytes = std::size_t{16} << 10;  // of TLS, at most
constexpr std::size_t kGatheredBytes = std::size_t{64} << 10;
constexpr int kMaxReadsAtOnce = 16;  // of a record each; then other connections get their turn

}  // namespace

Link::Receipt Link::Receive() {
  static thread_local std::array<unsigned char, kRecordBytes> buffer;
  auto receipt = Receipt::kNone;
  for (int i = 0; i < kMaxReadsAtOnce && !ended_; ++i) {
    std::size_t bytes = 0;
    const auto progress = tls_->Read(buffer, bytes);
    if (progress == TlsChannel::Progress::kEnded) ended_ = true;
    if (progress != TlsChannel::Progress::kDone) return receipt;
    receipt = Receipt::kAll;
    // What the peer does wrong makes a GOAWAY, which Flush sends; what nghttp2 cannot go on after ends the connection.
    if (nghttp2_session_mem_recv(session_, buffer.data(), bytes) < 0) {
      Flush();
      ended_ = true;
    }
  }
  return ended_ ? receipt : Receipt::kMore;
}

void Link::GatherOutput() {
  while (out_.size() - out_offset_ < kGatheredBytes) {
    const std::uint8_t* data = nullptr;
    const ssize_t bytes = nghttp2_session_mem_send(session_, &data);
    if (bytes < 0) ended_ = true;
    if (bytes <= 0) return;
    out_.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(bytes));
  }
}

void Link::Flush() {
  while (!ended_) {
    GatherOutput();
    if (out_offset_ == out_.size()) {
      out_.clear();
      out_offset_ = 0;
      ended_ |= nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
      return;
    }
    const std::size_t size = std::min(out_.size() - out_offset_, kRecordBytes);
    std::size_t bytes = 0;
    const auto progress = tls_->Write({reinterpret_cast<const unsigned char*>(out_.data()) + out_offset_, size}, bytes);
    if (progress == TlsChannel::Progress::kEnded) ended_ = true;
    if (progress != TlsChannel::Progress::kDone) return;
    out_offset_ += bytes;
    if (out_offset_ >= kGatheredBytes / 2) {
      out_.erase(0, out_offset_);
      out_offset_ = 0;
    }
  }
}

std::uint32_t Link::epoll_events() const {
  return (wants_to_read() ? std::uint32_t{EPOLLIN} : 0U) | (wants_to_write() ? std::uint32_t{EPOLLOUT} : 0U);
}

nghttp2_nv Header(std::string_view name, std::string_view value) {
  return {.name = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(name.data())),
          .value = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(value.data())),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = NGHTTP2_NV_FLAG_NONE};
}

}  // namespace strife::http2
