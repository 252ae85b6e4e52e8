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
#include <unordered_map>
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

  // A call under the certificate of `who`, "client/alice", from `peer`, an address and port, of so many bytes; or why
  // it is too much.
  std::optional<ApiError> Call(const std::string& who, const std::string& peer, std::size_t bytes);
  // Payments that the user asks for in one call, or why they are too many at this moment.
  std::optional<ApiError> Payments(const std::string& username, std::size_t count);
  // A call came to nothing, through its caller. More of them than limits::kMaxWastedCalls close the connection.
  void Wasted(const std::string& who, const std::string& peer);

  // The headers of a call have come: false when the certificate has too many calls of which no more has. Then the call
  // never arrives.
  bool CallBegan(const std::string& who);
  // A call has arrived in full, or was given up before that.
  void CallArrived(const std::string& who);

  // A call has begun, or ended, whose answer is large and waits in memory until the caller takes it.
  void HistoryBegan(const std::string& who);
  void HistoryEnded(const std::string& who);
  // Whether the certificate has more of them under way than it may.
  bool TooManyHistories(const std::string& who);

  // A connection from the address was refused, or closed for what it sent.
  void ConnectionLimited(const std::string& address);

  // What was limited since the last time this was asked, summed up: `actor` or `peer` is whom, `subject` "calls",
  // "payments" or "connections".
  std::vector<protocol::AuditRecord> TakeLimited();
  std::size_t unsent_calls() const;
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
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> unsent_;     // guarded by mutex_; by certificate, none is zero
  std::unordered_map<std::string, std::size_t> histories_;  // guarded by mutex_; by certificate, none is zero
  std::map<Key, std::uint32_t> limited_;                    // guarded by mutex_
};

}  // namespace strife::rpc
