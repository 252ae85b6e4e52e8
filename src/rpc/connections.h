// Connections: those a server has, what they send, and the means to close them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/measure.h"
#include "http2/sockets.h"
#include "observability/metrics.h"
#include "rpc/connection_budget.h"

namespace strife::rpc {

enum class ClosedFor : std::uint8_t {
  kUnexplainedBytes,  // limits::kMaxUnexplainedBytes
  kWastedCalls,       // limits::kMaxWastedCalls
};

// Thread-safe.
class Connections {
 public:
  explicit Connections(std::size_t capacity) : budget_(capacity) {}

  // Counts a connection in and keeps its socket, or says why not.
  std::optional<ConnectionRefusal> Arrive(const http2::SocketPeer& peer,
                                          std::shared_ptr<const http2::Descriptor> socket, MonotonicTime now);
  // The connection has ended that has this socket.
  void Leave(const std::string& name, const http2::Descriptor& socket, MonotonicTime now);

  // A call of `bytes` has arrived in full from the peer, and was admitted.
  void Called(const std::string& peer, std::size_t bytes);
  // Closes the connection if it is there; false when it is not or was being closed already.
  bool Close(const std::string& peer, ClosedFor reason);

  // To be called several times a second. Tells `closed` each address whose connections were closed for what they sent.
  void Tick(MonotonicTime now, const std::function<void(const std::string& address)>& closed);

  // None could be accepted for want of descriptors or memory.
  void AcceptFailed() { accept_failed_.Add(); }
  void Collect(MetricWriter& writer) const;
  std::size_t count() const;

 private:
  struct Connection {
    std::shared_ptr<const http2::Descriptor> socket;
    std::string address;
    MonotonicTime since;
    bool is_new = true;
    std::uint64_t received = 0;  // as of the last tick, as the next
    std::uint64_t calls_seen = 0;
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::uint64_t> explained{0};  // of what was received
    std::atomic<bool> closing{false};

    std::uint64_t Unexplained() const;
    // What has come since the last tick; `allowance`: bytes that are as good as explained by now.
    void Look(std::uint64_t allowance);
  };
  void LeaveLocked(const std::string& name, MonotonicTime now);
  // Whether it was not being closed yet.
  bool CloseLocked(Connection& connection, ClosedFor reason);

  mutable std::shared_mutex mutex_;  // shared to find a connection and count for it
  ConnectionBudget budget_;
  std::unordered_map<std::string, Connection> connections_;  // by SocketPeer::name
  MonotonicTime ticked_at_{};
  std::array<Counter, kConnectionRefusals> refused_;
  std::array<Counter, 2> closed_;
  Counter accept_failed_;
};

}  // namespace strife::rpc
