// Connections: those a server has, what they send, and the means to close them.
//
// gRPC is handed a connection's descriptor and keeps the rest to itself: when the connection ends, what it carries, how
// to end it. So a second descriptor of the same connection is kept here, which tells all of that.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/measure.h"
#include "observability/metrics.h"
#include "rpc/connection_budget.h"
#include "rpc/sockets.h"

namespace strife::rpc {

enum class ClosedFor : std::uint8_t {
  kUnexplainedBytes,  // limits::kMaxUnexplainedBytes
  kWastedCalls,       // limits::kMaxWastedCalls
  kNoCalls,           // limits::kMaxConnectionIdleSeconds, and then some
};

// Thread-safe.
class Connections {
 public:
  explicit Connections(std::size_t capacity) : budget_(capacity) {}

  // Counts a connection in and keeps `watch`, a descriptor of it; or says why not, and drops it.
  std::optional<ConnectionRefusal> Arrive(const Peer& peer, Descriptor watch, MonotonicTime now);
  // The connection has ended whose `watch` has this number; the descriptor is closed.
  void Leave(const std::string& name, int watch, MonotonicTime now);

  // A call of `bytes` has arrived in full from the peer, as gRPC names it, and was admitted.
  void Called(std::string_view grpc_peer, std::size_t bytes);
  // Closes the connection if it is there; false when it is not or was being closed already.
  bool Close(std::string_view grpc_peer, ClosedFor reason);

  // While it lives, what is written to the connections waits, a full segment excepted; at its end it goes out together.
  // gRPC writes each answer by itself, and to send one costs the kernel more than to add it to others. For `answers`
  // that are about to be given: nothing happens when the connections are more than those.
  class Corked {
   public:
    Corked(const Connections& connections, std::size_t answers);
    ~Corked();
    Corked(const Corked&) = delete;
    Corked& operator=(const Corked&) = delete;

   private:
    const Connections& connections_;
    const bool corked_;
  };

  // To be called several times a second. Tells `closed` each address whose connections were closed for what they sent.
  void Tick(MonotonicTime now, const std::function<void(const std::string& address)>& closed);

  // None could be accepted for want of descriptors or memory.
  void AcceptFailed() { accept_failed_.Add(); }
  void Collect(MetricWriter& writer) const;
  std::size_t count() const;

 private:
  struct Connection {
    Descriptor watch;
    std::string address;
    MonotonicTime since;
    MonotonicTime called_at;  // when the last call was seen, or when it came
    bool is_new = true;
    std::uint64_t received = 0;  // as of the last tick, as the next
    std::uint64_t calls_seen = 0;
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::uint64_t> explained{0};  // of what was received
    std::atomic<bool> closing{false};

    std::uint64_t Unexplained() const;
    // What has come since the last tick; `allowance`: bytes that are as good as explained by now.
    void Look(MonotonicTime now, std::uint64_t allowance);
  };
  // True when it was done, which is only when they are at most `at_most`.
  bool Cork(bool on, std::size_t at_most) const;
  // Whether it was not being closed yet.
  bool CloseLocked(Connection& connection, ClosedFor reason);
  void LeaveLocked(const std::string& name, MonotonicTime now);

  mutable std::shared_mutex mutex_;  // shared to find a connection and count for it
  ConnectionBudget budget_;
  std::unordered_map<std::string, Connection> connections_;  // by Peer::name
  MonotonicTime ticked_at_{};
  std::array<Counter, kConnectionRefusals> refused_;
  std::array<Counter, 3> closed_;
  Counter accept_failed_;
};

}  // namespace strife::rpc
