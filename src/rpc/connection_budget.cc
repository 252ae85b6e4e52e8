#include "rpc/connection_budget.h"

#include "base/assert.h"
#include "base/limits.h"

namespace strife::rpc {
namespace {

constexpr Rate kArrivals{static_cast<double>(limits::kMaxConnectionsPerSecondPerAddress),
                         static_cast<double>(limits::kMaxConnectionBurstPerAddress)};
constexpr Rate kUnexplained{static_cast<double>(limits::kMaxUnexplainedBytesPerSecond),
                            static_cast<double>(limits::kMaxUnexplainedBytes)};

}  // namespace

ConnectionBudget::Address::Address() : arrivals(kArrivals), unexplained(kUnexplained) {}

std::optional<ConnectionRefusal> ConnectionBudget::Arrive(const std::string& address, MonotonicTime now) {
  if (connections_ >= capacity_) return ConnectionRefusal::kServerFull;
  if (new_connections_ >= limits::kMaxNewConnections) return ConnectionRefusal::kServerNew;
  if (addresses_.size() >= limits::kMaxRatedPeers && !addresses_.contains(address)) ForgetIdle(now);
  Address& from = addresses_[address];
  if (from.connections >= limits::kMaxConnectionsPerAddress) return ConnectionRefusal::kAddressFull;
  if (from.new_connections >= limits::kMaxNewConnectionsPerAddress) return ConnectionRefusal::kAddressNew;
  if (from.arrivals.Take(kArrivals, 1, now) > Duration::zero()) return ConnectionRefusal::kTooFast;
  ++from.connections;
  ++from.new_connections;
  ++connections_;
  ++new_connections_;
  return std::nullopt;
}

void ConnectionBudget::Settle(const std::string& address) {
  Address& from = addresses_.at(address);
  STRIFE_ASSERT(from.new_connections > 0 && new_connections_ > 0);
  --from.new_connections;
  --new_connections_;
}

void ConnectionBudget::Leave(const std::string& address, bool is_new, std::size_t unexplained_bytes,
                             MonotonicTime now) {
  if (is_new) Settle(address);
  Address& from = addresses_.at(address);
  STRIFE_ASSERT(from.connections > 0 && connections_ > 0);
  --from.connections;
  --connections_;
  from.unexplained.TakeUpTo(kUnexplained, static_cast<double>(unexplained_bytes), now);
}

bool ConnectionBudget::SentTooMuch(const std::string& address, std::size_t unexplained_bytes, MonotonicTime now) {
  return addresses_.at(address).unexplained.Left(kUnexplained, now) < static_cast<double>(unexplained_bytes);
}

void ConnectionBudget::ForgetIdle(MonotonicTime now) {
  std::erase_if(addresses_, [&](const auto& entry) {
    const Address& address = entry.second;
    return address.connections == 0 && address.arrivals.Left(kArrivals, now) >= kArrivals.burst &&
           address.unexplained.Left(kUnexplained, now) >= kUnexplained.burst;
  });
  // More than connections can come from within the time that is remembered: what an address has done before is
  // forgotten rather than memory spent on it.
  if (addresses_.size() < limits::kMaxRatedPeers) return;
  std::erase_if(addresses_, [](const auto& entry) { return entry.second.connections == 0; });
}

}  // namespace strife::rpc
