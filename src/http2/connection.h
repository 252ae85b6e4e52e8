// Connection: one client's HTTP/2 connection, and the calls that are made over it.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "http2/call.h"
#include "http2/link.h"
#include "http2/mailbox.h"

namespace strife::http2 {

// What is done with calls. All functions are called from the threads of the server's loops, for each call in this
// order and one at a time; different calls at the same time.
class Handler {
 public:
  virtual ~Handler() = default;

  // The headers of a call have come. What is returned ends it, and nothing more is said of it.
  virtual std::optional<CallStatus> Begins(const Call& call) = 0;
  // The request is complete: to be answered, then or later, from any thread.
  virtual void Arrived(std::shared_ptr<Call> call) = 0;
  // The call is over. `arrived`: Arrived was called. `answered`: it was not its caller who gave it up.
  virtual void Ended(const Call& call, bool arrived, bool answered) = 0;
  // A connection has ended, with all its calls. Both as they were given to Server::Adopt.
  virtual void Left(const std::string& name, const Descriptor& socket) = 0;
};

// For one thread at a time.
class Connection {
 public:
  // Everything referred to must outlive it.
  Connection(std::unique_ptr<TlsChannel> tls, std::string name, Handler& handler, std::shared_ptr<RequestMemory> memory,
             MonotonicTime now);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Goes on with the TLS handshake.
  void Handshake();
  bool is_made() const { return made_; }
  // After that: HTTP/2 begins. Answers will come through the mailbox.
  void Begin(std::shared_ptr<Mailbox> mailbox, MonotonicTime now);

  // The socket has something. No more is read at once than others can wait for: true when there may be more, which the
  // socket no longer tells.
  bool Receive(MonotonicTime now);
  // Passes an answer on to HTTP/2. Its call is one of this connection's, or has ended.
  void Give(Answer answer);
  // Writes what there is to write, as far as the socket takes it. To be called after any of the others.
  void Flush();
  // To be called every second or so: asks whether the peer is still there, ends what is overdue.
  void Tick(MonotonicTime now, Duration longest_call);
  // Takes no new calls any more, and ends after the last one.
  void Drain();

  // Nothing more can come of it: to be destroyed.
  bool ended() const { return link_.ended(); }
  const Link& link() const { return link_; }
  // Whose the call is; null when it has ended.
  static Connection* Of(const Call& call) { return call.connection_; }

  // For the loop that has it.
  bool is_dirty = false;             // Flush is due
  bool has_more = false;             // Receive is, whatever the socket tells
  std::uint32_t watched_events = 0;  // of epoll

 private:
  struct Callbacks;  // nghttp2's

  void OnHeaders(Call& call);
  // Whether there is memory for so much more of the call; otherwise it is refused.
  bool Charge(Call& call, std::size_t bytes);
  void OnData(Call& call, std::string_view bytes);
  void OnRequestEnd(Call& call);
  void OnPing();
  void OnStreamClosed(std::int32_t stream);
  void Refuse(Call& call, CallStatus status);
  void SubmitRefusal(Call& call);
  ssize_t ReadAnswer(Call& call, std::uint8_t* to, std::size_t size, std::uint32_t* flags);
  void GoAway(std::uint32_t error);

  Link link_;
  const std::string name_;
  Handler& handler_;
  const std::shared_ptr<RequestMemory> memory_;
  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<const Peer> peer_;
  std::unordered_map<std::int32_t, std::shared_ptr<Call>> calls_;  // by stream
  const MonotonicTime came_;
  MonotonicTime now_;          // as of the last event
  MonotonicTime received_at_;  // anything
  MonotonicTime pinged_at_;    // by us, since when nothing has come
  MonotonicTime called_at_;    // when there was a call last
  MonotonicTime drained_at_;
  MonotonicTime last_ping_;  // of the peer
  int ping_strikes_ = 0;
  bool made_ = false;     // the TLS handshake is
  bool settled_ = false;  // the peer has sent something in HTTP/2
  bool pinging_ = false;
  enum class Leaving { kNo, kAnnounced, kFinal } leaving_ = Leaving::kNo;
};

}  // namespace strife::http2
