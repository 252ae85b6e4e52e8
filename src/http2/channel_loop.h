// ChannelLoop: the thread on which all channels of the process connect, send and receive.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "http2/sockets.h"

namespace strife::http2 {

class ChannelState;
class ClientConnection;

class ChannelLoop {
 public:
  // Lives as long as the process: whoever drops the last channel may be on its thread.
  static ChannelLoop& Shared();

  // Runs the task on the loop's thread, soon. From any thread.
  void Post(std::move_only_function<void()> task);

  // ---- On the loop's thread ----

  MonotonicTime now() const { return now_; }
  // Until Unwatch with what is returned, `channel` is told what the socket is ready for. `connection`: whose socket it
  // is, null for one that is being connected.
  std::uint64_t Watch(int socket, std::uint32_t events, ChannelState& channel, ClientConnection* connection);
  void Change(std::uint64_t watch, std::uint32_t events);
  void Unwatch(std::uint64_t watch);
  // The channel is to be looked at again before the loop waits; and lives as long as it says so.
  void Touch(const std::shared_ptr<ChannelState>& channel) { touched_.insert(channel); }

 private:
  struct Watched {
    int socket;
    std::uint32_t events;
    ChannelState* channel;
    ClientConnection* connection;
  };

  ChannelLoop();
  void Run();
  int WaitMs();
  void RunTasks();
  void LookAtChannels();

  Descriptor epoll_;
  Descriptor wake_;
  std::mutex mutex_;
  std::vector<std::move_only_function<void()>> tasks_;  // guarded by mutex_
  std::unordered_map<std::uint64_t, Watched> watched_;
  std::uint64_t next_watch_ = 1;
  std::unordered_set<std::shared_ptr<ChannelState>> touched_;
  std::unordered_set<std::shared_ptr<ChannelState>> channels_;  // that have something to do, now or later
  MonotonicTime now_;
  MonotonicTime next_look_;  // when a channel wants to be looked at, whatever happens
  std::thread thread_;
};

}  // namespace strife::http2
