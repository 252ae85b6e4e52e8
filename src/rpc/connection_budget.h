// ConnectionBudget: how many connections may be there, from whom, and how much they may send that is no call. Counts
// only; the connections are connections.h's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "rpc/token_bucket.h"

namespace strife::rpc {

enum class ConnectionRefusal : std::uint8_t {
  kServerFull,   // limits::kMaxConnections, or fewer for want of descriptors
  kAddressFull,  // limits::kMaxConnectionsPerAddress
  kServerNew,    // limits::kMaxNewConnections
  kAddressNew,   // limits::kMaxNewConnectionsPerAddress
  kTooFast,      // limits::kMaxConnectionsPerSecondPerAddress
};
inline constexpr std::size_t kConnectionRefusals = 5;

// An address is the text addresses are counted by: of IPv6 the first 64 bits. For one thread at a time.
class ConnectionBudget {
 public:
  explicit ConnectionBudget(std::size_t capacity) : capacity_(capacity) {}

  // Counts a connection in, as a new one; or says why not.
  std::optional<ConnectionRefusal> Arrive(const std::string& address, MonotonicTime now);
  // It is not new any more.
  void Settle(const std::string& address);
  // It is gone, with so many bytes unexplained.
  void Leave(const std::string& address, bool is_new, std::size_t unexplained_bytes, MonotonicTime now);

  // Whether the address has sent too much that is no call, if its open connections have so many bytes unexplained.
  bool SentTooMuch(const std::string& address, std::size_t unexplained_bytes, MonotonicTime now);

  std::size_t connections() const { return connections_; }
  std::size_t addresses() const { return addresses_.size(); }

 private:
  struct Address {
    Address();
    std::size_t connections = 0;
    std::size_t new_connections = 0;
    TokenBucket arrivals;
    TokenBucket unexplained;  // of connections that are gone
  };
  void ForgetIdle(MonotonicTime now);

  const std::size_t capacity_;
  std::size_t connections_ = 0;
  std::size_t new_connections_ = 0;
  std::unordered_map<std::string, Address> addresses_;
};

}  // namespace strife::rpc
