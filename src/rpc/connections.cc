#include "rpc/connections.h"

#include <sys/socket.h>

#include <algorithm>

#include "base/limits.h"

namespace strife::rpc {
namespace {

constexpr Duration kHandshakeLimit = std::chrono::seconds(limits::kMaxHandshakeSeconds);
// What a call may cost besides its message: headers and framing.
constexpr std::uint64_t kOverheadBytes = 2048;
constexpr std::array<std::string_view, kConnectionRefusals> kRefusalNames = {"server_full", "address_full",
                                                                             "server_new", "address_new", "too_fast"};
constexpr std::array<std::string_view, 2> kClosedNames = {"unexplained_bytes", "wasted_calls"};

}  // namespace

std::uint64_t Connections::Connection::Unexplained() const {
  const std::uint64_t known = explained.load(std::memory_order_relaxed);
  return received > known ? received - known : 0;
}

void Connections::Connection::Look(std::uint64_t allowance) {
  received = std::max(received, http2::BytesReceived(socket->get()));
  calls_seen = calls.load(std::memory_order_relaxed);
  // Nobody explains more than was sent: calls are no credit for later.
  const std::uint64_t known = explained.load(std::memory_order_relaxed);
  explained.fetch_add(std::min(received, known + allowance) - known, std::memory_order_relaxed);
}

std::optional<ConnectionRefusal> Connections::Arrive(const http2::SocketPeer& peer,
                                                     std::shared_ptr<const http2::Descriptor> socket,
                                                     MonotonicTime now) {
  const std::unique_lock lock(mutex_);
  // A peer that comes back from the same port is one whose end has not been seen yet.
  if (connections_.contains(peer.name)) LeaveLocked(peer.name, now);
  if (const auto refusal = budget_.Arrive(peer.address, now)) {
    refused_[static_cast<std::size_t>(*refusal)].Add();
    return refusal;
  }
  Connection& connection = connections_[peer.name];
  connection.socket = std::move(socket);
  connection.address = peer.address;
  connection.since = now;
  return std::nullopt;
}

void Connections::Leave(const std::string& name, const http2::Descriptor& socket, MonotonicTime now) {
  const std::unique_lock lock(mutex_);
  const auto found = connections_.find(name);
  if (found != connections_.end() && found->second.socket.get() == &socket) LeaveLocked(name, now);
}

void Connections::LeaveLocked(const std::string& name, MonotonicTime now) {
  const auto found = connections_.find(name);
  Connection& connection = found->second;
  connection.received = std::max(connection.received, http2::BytesReceived(connection.socket->get()));
  budget_.Leave(connection.address, connection.is_new, connection.Unexplained(), now);
  connections_.erase(found);
}

void Connections::Called(const std::string& peer, std::size_t bytes) {
  const std::shared_lock lock(mutex_);
  const auto found = connections_.find(peer);
  if (found == connections_.end()) return;
  found->second.calls.fetch_add(1, std::memory_order_relaxed);
  found->second.explained.fetch_add(bytes + kOverheadBytes, std::memory_order_relaxed);
}

bool Connections::Close(const std::string& peer, ClosedFor reason) {
  const std::shared_lock lock(mutex_);
  const auto found = connections_.find(peer);
  return found != connections_.end() && CloseLocked(found->second, reason);
}

bool Connections::CloseLocked(Connection& connection, ClosedFor reason) {
  if (connection.closing.exchange(true)) return false;
  // The transport sees the end.
  shutdown(connection.socket->get(), SHUT_RDWR);
  closed_[static_cast<std::size_t>(reason)].Add();
  return true;
}

void Connections::Tick(MonotonicTime now, const std::function<void(const std::string& address)>& closed) {
  const std::unique_lock lock(mutex_);
  const double passed_seconds =
      ticked_at_ == MonotonicTime{} ? 0 : std::chrono::duration<double>(now - ticked_at_).count();
  ticked_at_ = now;
  const auto allowance = static_cast<std::uint64_t>(passed_seconds * limits::kMaxUnexplainedBytesPerSecond);
  std::unordered_map<std::string_view, std::size_t> by_address;
  for (auto& [name, connection] : connections_) {
    connection.Look(allowance);
    if (connection.is_new && (connection.calls_seen > 0 || now - connection.since > kHandshakeLimit)) {
      connection.is_new = false;
      budget_.Settle(connection.address);
    }
    by_address[connection.address] += connection.Unexplained();
  }
  for (auto& [name, connection] : connections_) {
    const std::uint64_t unexplained = connection.Unexplained();
    if (unexplained < limits::kMinUnexplainedBytesToClose) continue;
    if (!budget_.SentTooMuch(connection.address, by_address[connection.address], now)) continue;
    if (CloseLocked(connection, ClosedFor::kUnexplainedBytes)) closed(connection.address);
  }
}

void Connections::Collect(MetricWriter& writer) const {
  writer.Gauge("strife_connections", "Connections that others have made to this server.", {},
               static_cast<double>(count()));
  writer.Count("strife_connections_not_accepted_total", "Tries to accept one for which the process had no descriptor.",
               {}, accept_failed_);
  for (std::size_t i = 0; i < refused_.size(); ++i) {
    writer.Count("strife_connections_refused_total", "Connections closed before a handshake, by the limit they met.",
                 {{"limit", kRefusalNames[i]}}, refused_[i]);
  }
  for (std::size_t i = 0; i < closed_.size(); ++i) {
    writer.Count("strife_connections_closed_total", "Connections closed for what came over them.",
                 {{"limit", kClosedNames[i]}}, closed_[i]);
  }
}

std::size_t Connections::count() const {
  const std::shared_lock lock(mutex_);
  return budget_.connections();
}

}  // namespace strife::rpc
