#include "rpc/peer_limits.h"

#include <algorithm>

namespace strife::rpc {
namespace {

constexpr Rate kWasted{static_cast<double>(limits::kMaxWastedCallsPerSecond),
                       static_cast<double>(limits::kMaxWastedCalls)};
constexpr Duration kShortestPushback = std::chrono::milliseconds(100);

// As much as is allowed in a second, at once; and always one full call.
Rate PerSecond(int count) {
  return {static_cast<double>(count),
          std::max(static_cast<double>(count), static_cast<double>(limits::kMaxPaymentsPerCall))};
}

ApiError RateLimited(const std::string& message, Duration wait) {
  return {.code = ApiCode::kResourceExhausted,
          .reason_code = "RATE_LIMITED",
          .message = message + "; nothing was recorded, send the same request again in a moment",
          .retryable = true,
          .retry_after = std::max(wait, kShortestPushback)};
}

}  // namespace

Result<std::unique_ptr<PeerLimits>> PeerLimits::Create(const PeerRates& rates, Clock& clock) {
  const auto capacity = http2::ConnectionCapacity();
  if (!capacity) return std::unexpected(capacity.error());
  return std::unique_ptr<PeerLimits>(new PeerLimits(rates, clock, *capacity));
}

PeerLimits::PeerLimits(const PeerRates& rates, Clock& clock, std::size_t capacity)
    : clock_(clock),
      connections_(capacity),
      calls_(PerSecond(rates.calls_per_second)),
      payments_(PerSecond(rates.payments_per_second)),
      wasted_(kWasted) {}

std::optional<ApiError> PeerLimits::Call(const std::string& who, const std::string& peer, std::size_t bytes) {
  const Duration wait = calls_.Take(who, 1, clock_.Read().monotonic);
  if (wait == Duration::zero()) {
    connections_.Called(peer, bytes);
    return std::nullopt;
  }
  calls_limited_.Add();
  Note({who, {}, kCalls});
  return RateLimited("there are more calls under this certificate than the server takes in a second", wait);
}

std::optional<ApiError> PeerLimits::Payments(const std::string& username, std::size_t count) {
  // One that is too large for a call is charged as the largest there may be, and then refused for its size.
  const auto cost = static_cast<double>(std::clamp<std::size_t>(count, 1, limits::kMaxPaymentsPerCall));
  const Duration wait = payments_.Take(username, cost, clock_.Read().monotonic);
  if (wait == Duration::zero()) return std::nullopt;
  payments_limited_.Add();
  Note({"user/" + username, {}, kPayments});
  return RateLimited("you send more payments than the gateway takes from one user in a second", wait);
}

void PeerLimits::Wasted(const std::string& who, const std::string& peer) {
  calls_wasted_.Add();
  if (wasted_.Take(who, 1, clock_.Read().monotonic) == Duration::zero()) return;
  if (connections_.Close(peer, ClosedFor::kWastedCalls)) Note({who, {}, kConnections});
}

bool PeerLimits::CallBegan(const std::string& who) {
  {
    const std::lock_guard lock(mutex_);
    std::size_t& unsent = unsent_[who];
    if (unsent < limits::kMaxUnsentCallsPerCertificate) {
      ++unsent;
      return true;
    }
  }
  calls_limited_.Add();
  Note({who, {}, kCalls});
  return false;
}

void PeerLimits::CallArrived(const std::string& who) {
  const std::lock_guard lock(mutex_);
  const auto found = unsent_.find(who);
  if (--found->second == 0) unsent_.erase(found);
}

void PeerLimits::HistoryBegan(const std::string& who) {
  const std::lock_guard lock(mutex_);
  ++histories_[who];
}

void PeerLimits::HistoryEnded(const std::string& who) {
  const std::lock_guard lock(mutex_);
  const auto found = histories_.find(who);
  if (--found->second == 0) histories_.erase(found);
}

bool PeerLimits::TooManyHistories(const std::string& who) {
  const std::lock_guard lock(mutex_);
  const auto found = histories_.find(who);
  return found != histories_.end() && found->second > limits::kMaxHistoriesUnderWayPerCertificate;
}

void PeerLimits::ConnectionLimited(const std::string& address) { Note({{}, address, kConnections}); }

void PeerLimits::Note(Key key) {
  const std::lock_guard lock(mutex_);
  auto found = limited_.find(key);
  if (found == limited_.end()) {
    // Addresses cost an attacker nothing, so not all are named.
    if (limited_.size() >= limits::kMaxLimitedPeers) key = {"others", {}, key.what};
    found = limited_.try_emplace(std::move(key), 0).first;
  }
  ++found->second;
}

std::vector<protocol::AuditRecord> PeerLimits::TakeLimited() {
  const WallTime now = clock_.Read().wall;
  const std::lock_guard lock(mutex_);
  std::vector<protocol::AuditRecord> taken;
  taken.reserve(limited_.size());
  for (const auto& [key, count] : limited_) {
    taken.push_back({.event = protocol::AuditEvent::kLimited,
                     .at = now,
                     .actor = key.actor,
                     .peer = key.peer,
                     .subject = std::string(key.what),
                     .detail = {},
                     .count = count});
  }
  limited_.clear();
  return taken;
}

std::size_t PeerLimits::unsent_calls() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [who, unsent] : unsent_) sum += unsent;
  return sum;
}

void PeerLimits::Collect(MetricWriter& writer) const {
  connections_.Collect(writer);
  const auto count = [&](std::string_view rate, const Counter& counter) {
    writer.Count("strife_rate_limited_total", "Calls refused because their caller makes too many.", {{"rate", rate}},
                 counter);
  };
  writer.Gauge("strife_calls_unsent", "Calls that have begun and have not been sent to their end.", {},
               static_cast<double>(unsent_calls()));
  count(kCalls, calls_limited_);
  count(kPayments, payments_limited_);
  writer.Count("strife_calls_wasted_total",
               "Calls that came to nothing through their caller: given up, over the rate, or not admitted.", {},
               calls_wasted_);
}

}  // namespace strife::rpc
