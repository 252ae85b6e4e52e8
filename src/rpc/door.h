// Door: listens, and lets connections in as far as there is room for them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "env/clock.h"
#include "http2/sockets.h"
#include "rpc/peer_limits.h"

namespace strife::rpc {

using http2::Descriptor;

class Door {
 public:
  // Takes a connection; `name` is its peer's address and port. On the door's thread.
  using LetIn = std::function<void(std::shared_ptr<const Descriptor>, const std::string& name)>;

  // Listens on host:port; who comes waits until Start. kInvalidInput: not an address; kUnavailable: in use.
  // Everything referred to must outlive the door.
  static Result<std::unique_ptr<Door>> Open(const std::string& address, PeerLimits& limits, Clock& clock);
  ~Door();

  void Start(LetIn let_in);
  // Lets nobody in any more; what is there goes on.
  void StopListening() {
    listening_ = false;
    Wake();
  }

 private:
  Door(PeerLimits& limits, Clock& clock) : limits_(limits), clock_(clock) {}

  // What epoll tells of: the wake-up, then the listeners.
  static constexpr std::uint64_t kWake = 0, kFirstListener = 1;

  void Run();
  void Wake();
  void Tick(MonotonicTime now);
  // Until nobody waits, or for this moment it is enough.
  void Accept(int listener);
  void Admit(Descriptor connection);
  void Pause();
  void Resume();

  PeerLimits& limits_;
  Clock& clock_;
  LetIn let_in_;
  std::vector<Descriptor> listeners_;
  Descriptor epoll_;
  Descriptor wake_;
  int refused_ = 0;  // since the last tick
  bool paused_ = false;
  MonotonicTime next_tick_{};
  std::atomic<bool> listening_ = true;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace strife::rpc
