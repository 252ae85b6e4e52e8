// PeerLimits: what a server allows those who call it, beyond what they may do at all. One for each server.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/measure.h"
#include "env/clock.h"
#include "observability/metrics.h"
#include "protocol/audit.h"
#include "rpc/api.h"
#include "rpc/connections.h"
#include "rpc/token_bucket.h"

namespace strife::rpc {

struct PeerRates {
  int calls_per_second = limits::kDefaultCallsPerSecond;        // of a certificate
  int payments_per_second = limits::kDefaultPaymentsPerSecond;  // of a user
};

// Thread-safe.
class PeerLimits {
 public:
  // kUnavailable when the process may not open enough files.
  static Result<std::unique_ptr<PeerLimits>> Create(const PeerRates& rates, Clock& clock);

  Connections& connections() { return connections_; }

  // A call under the certificate of `who`, "client/alice", from `grpc_peer`, of so many bytes; or why it is too much.
  std::optional<ApiError> Call(const std::string& who, std::string_view grpc_peer, std::size_t bytes);
  // Payments that the user asks for in one call, or why they are too many at this moment.
  std::optional<ApiError> Payments(const std::string& username, std::size_t count);
  // A call came to nothing, through its caller. More of them than limits::kMaxWastedCalls close the connection.
  void Wasted(const std::string& who, std::string_view grpc_peer);

  // A connection from the address was refused, or closed for what it sent.
  void ConnectionLimited(const std::string& address);

  // What was limited since the last time this was asked, summed up: `actor` or `peer` is whom, `subject` "calls",
  // "payments" or "connections".
  std::vector<protocol::AuditRecord> TakeLimited();
  void Collect(MetricWriter& writer) const;

 private:
  static constexpr std::string_view kCalls = "calls", kPayments = "payments", kConnections = "connections";

  PeerLimits(const PeerRates& rates, Clock& clock, std::size_t capacity);
  struct Key {
    std::string actor;
    std::string peer;
    std::string_view what;
    auto operator<=>(const Key&) const = default;
  };
  void Note(Key key);

  Clock& clock_;
  Connections connections_;
  RateLimiter calls_;
  RateLimiter payments_;
  RateLimiter wasted_;
  Counter calls_limited_;
  Counter payments_limited_;
  Counter calls_wasted_;
  std::mutex mutex_;
  std::map<Key, std::uint32_t> limited_;  // guarded by mutex_
};

}  // namespace strife::rpc
