// Loop: a thread that serves its share of a server's connections.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "env/clock.h"
#include "http2/connection.h"
#include "http2/mailbox.h"
#include "http2/sockets.h"

namespace strife::http2 {

class Loop {
 public:
  // Where a connection goes once its TLS handshake is made; on the loop's thread.
  using MadeConnection = std::function<void(std::unique_ptr<Connection>)>;

  // The clock must outlive it.
  Loop(Clock& clock, Duration longest_call, MadeConnection pass_on);
  // Ends all connections.
  ~Loop();

  // For others' newcomers and answers. Lives on, to no effect, when the loop has ended.
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

  // From now on no connection takes new calls, and each ends after its last. Returns when all have, or at the deadline.
  // From any other thread.
  void Drain(std::chrono::steady_clock::time_point deadline);

 private:
  void Run();
  void TakeMail();
  void Adopt(std::unique_ptr<Connection> newcomer);
  void OnEvent(Connection& connection);
  // It is the loop's no longer.
  std::unique_ptr<Connection> Take(Connection& connection);
  void MarkDirty(Connection& connection);
  void FlushAll();
  void Watch(Connection& connection);
  void Tick();
  void DrainAll();

  Clock& clock_;
  const Duration longest_call_;
  const MadeConnection pass_on_;
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  Descriptor epoll_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> dirty_;
  std::vector<Connection*> unread_;  // have more than the socket tells
  MonotonicTime now_;
  MonotonicTime next_tick_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> draining_ = false;
  std::mutex mutex_;
  std::condition_variable drained_;
  bool is_drained_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace strife::http2
