// Door: listens, and lets connections in as far as there is room for them. gRPC's own listener takes whatever comes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "env/clock.h"
#include "rpc/peer_limits.h"
#include "rpc/sockets.h"

namespace strife::rpc {

class Door {
 public:
  // Takes over the descriptor of a connection. On the door's thread.
  using LetIn = std::function<void(int fd)>;

  // Listens on host:port; who comes waits until Start. kInvalidInput: not an address; kUnavailable: in use.
  // Everything referred to must outlive the door.
  static Result<std::unique_ptr<Door>> Open(const std::string& address, PeerLimits& limits, Clock& clock);
  ~Door();

  // `each_second` is called about once a second, on the door's thread.
  void Start(LetIn let_in, std::function<void()> each_second);
  // Lets nobody in any more; what is there goes on.
  void StopListening() {
    listening_ = false;
    Wake();
  }

 private:
  Door(PeerLimits& limits, Clock& clock) : limits_(limits), clock_(clock) {}

  // What epoll tells of: the wake-up, then the listeners, then the connections.
  static constexpr std::uint64_t kWake = 0, kFirstListener = 1, kFirstConnection = 1 << 10;

  void Run();
  void Wake();
  void Tick(MonotonicTime now);
  void Ended(std::uint64_t number, MonotonicTime now);
  // Until nobody waits, or for this moment it is enough.
  void Accept(int listener);
  void Admit(Descriptor connection);
  void Pause();
  void Resume();

  PeerLimits& limits_;
  Clock& clock_;
  LetIn let_in_;
  std::function<void()> each_second_;
  std::vector<Descriptor> listeners_;
  Descriptor epoll_;
  Descriptor wake_;
  struct Watched {
    std::string name;
    int fd;
  };
  // Connections by a number of their own. Not by descriptor: epoll goes on telling of one that is closed here as long
  // as gRPC's descriptor of the same connection is open, and by then the number may be another connection's.
  std::unordered_map<std::uint64_t, Watched> watched_;
  std::uint64_t next_number_ = kFirstConnection;
  int refused_ = 0;  // since the last tick
  bool paused_ = false;
  MonotonicTime next_tick_{};
  MonotonicTime next_second_{};
  std::atomic<bool> listening_ = true;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace strife::rpc
