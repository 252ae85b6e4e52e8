// Call: one gRPC call that somebody makes to this server.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace strife::http2 {

// Who is at the other end of a connection. TLS has checked that the certificate leads to one of our CAs, and no more.
struct Peer {
  std::string name;        // address and port, as PeerOf
  std::string leaf_pem;    // its certificate
  std::string others_pem;  // what it has shown besides
  std::string who;         // "client/alice", as the certificate says; "none" when it says nothing of the kind
};

// gRPC's codes.
enum class Code : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

// How a call ends.
struct CallStatus {
  int code = 0;           // a Code, or another that a peer has said
  std::string message{};  // UTF-8
  std::string details{};  // google.rpc.Status, serialised; may be empty
  std::optional<Duration> pushback{};
};

constexpr int AsInt(Code code) { return static_cast<int>(code); }
inline bool Is(const CallStatus& status, Code code) { return status.code == AsInt(code); }
inline CallStatus Failure(Code code, std::string message) {
  return {.code = AsInt(code), .message = std::move(message)};
}

// What all requests under way may take together. Each may grow to a share of what is left, so that large ones cannot
// keep small ones out. Thread-safe.
class RequestMemory {
 public:
  explicit RequestMemory(std::size_t budget_bytes) : budget_(budget_bytes) {}

  // Whether one that has `held` may have `more`; if so, they are counted.
  bool Take(std::size_t held, std::size_t more);
  void Return(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  const std::size_t budget_;
  std::atomic<std::size_t> used_ = 0;
};

class Connection;
class Mailbox;

// What handlers see and use is thread-safe once the call has arrived; the rest belongs to its connection's thread.
class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(std::shared_ptr<const Peer> peer, std::shared_ptr<Mailbox> mailbox, std::shared_ptr<RequestMemory> memory,
       std::int32_t stream, MonotonicTime began)
      : peer_(std::move(peer)),
        mailbox_(std::move(mailbox)),
        memory_(std::move(memory)),
        began_(began),
        stream_(stream) {}
  ~Call() { memory_->Return(charged_bytes_); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const std::string& path() const { return path_; }  // "/strife.v1.PaymentGateway/ProcessPayment"
  Mailbox& mailbox() const { return *mailbox_; }
  const Peer& peer() const { return *peer_; }
  MonotonicTime began() const { return began_; }
  // The value of what the call carries under this lower-case name; absent also when it carries several.
  std::optional<std::string_view> Metadata(std::string_view name) const;
  // All headers, as HTTP/2 counts them. When they are more than limits::kMaxMetadataBytes, some are not kept.
  std::size_t metadata_bytes() const { return metadata_bytes_; }
  // The request, once it has arrived in full.
  std::string_view message() const { return message_; }

  // Each is for any thread, and nothing happens when the caller has gone. Exactly one Finish or Fail ends the call;
  // before it, Send gives one of several answers.
  void Send(std::string_view message);
  void Finish(std::string framed_message);
  void Fail(CallStatus status);

 private:
  friend class Connection;

  const std::shared_ptr<const Peer> peer_;
  const std::shared_ptr<Mailbox> mailbox_;
  const std::shared_ptr<RequestMemory> memory_;
  const MonotonicTime began_;

  std::string path_;
  std::string method_, content_type_, encoding_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::size_t metadata_bytes_ = 0;
  std::size_t charged_bytes_ = 0;  // to memory_: what it carries, and its message
  std::string body_;               // as received, with its prefix
  std::string inflated_;           // of a compressed one
  std::string_view message_;       // into one of them

  Connection* connection_ = nullptr;  // null: the call has ended
  const std::int32_t stream_;
  bool admitted_ = false;       // the handler knows it and is to be told of its end
  bool arrived_ = false;        // in full
  bool answered_ = false;       // its last answer has been given
  bool submitted_ = false;      // its first answer has been
  std::string out_;             // answers that are to be sent, framed
  std::size_t out_offset_ = 0;  // how much of it has been
  CallStatus status_;           // how it ends
};

// A message with the five bytes before it that say that it is not compressed and how long it is.
std::string Framed(std::string_view message);
inline constexpr std::size_t kFramePrefixBytes = 5;
// Writes them, for a message of so many bytes.
void WriteFramePrefix(char* to, std::size_t message_bytes);

// An answer on its way from whoever gives it to the thread of the connection.
struct Answer {
  std::shared_ptr<Call> call;
  std::string framed{};
  bool last = true;
  CallStatus status{};
};

}  // namespace strife::http2
