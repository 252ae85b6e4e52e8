#include "rpc/gateway_connection.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "rpc/messages.h"
#include "runtime/system_clock.h"

namespace strife::rpc {
namespace {

constexpr Duration kCredentialsCheck = std::chrono::milliseconds(500);

}  // namespace

std::string GatewayConnection::Endpoint() const {
  std::lock_guard lock(mutex_);
  return options_.endpoints[chosen_];
}

std::shared_ptr<const security::Credentials> GatewayConnection::CurrentCredentials() {
  const WallTime now = runtime::WallNow();
  std::unique_lock lock(mutex_);
  // A clock that has been set back must not stop the looking.
  if (now < next_credentials_check_ && next_credentials_check_ - now <= kCredentialsCheck) {
    return credentials_->current();
  }
  next_credentials_check_ = now + kCredentialsCheck;
  lock.unlock();
  const auto outcome = credentials_->Poll(now);
  for (const std::string& problem : outcome.problems) {
    if (refused_credentials_) refused_credentials_(problem);
  }
  return credentials_->current();
}

http2::Target GatewayConnection::TargetAt(const std::string& endpoint,
                                          std::shared_ptr<const security::Credentials> current) const {
  return {.address = endpoint,
          .credentials = std::move(current),
          .expected = {credentials_->identity().trust_domain, security::Role::kGateway, ""}};
}

std::shared_ptr<http2::Channel> GatewayConnection::Current() {
  auto current = CurrentCredentials();
  std::lock_guard lock(mutex_);
  if (channel_ == nullptr || dialled_with_ != current) {
    channel_ = std::make_shared<http2::Channel>(TargetAt(options_.endpoints[chosen_], current));
    dialled_with_ = std::move(current);
  }
  return channel_;
}

std::vector<std::unique_ptr<http2::Channel>> GatewayConnection::WatchedChannels(
    const std::shared_ptr<const security::Credentials>& current,
    const std::function<void(std::size_t, bool)>& changed) const {
  std::vector<std::unique_ptr<http2::Channel>> channels;
  for (std::size_t i = 0; i < options_.endpoints.size(); ++i) {
    http2::Target target = TargetAt(options_.endpoints[i], current);
    target.shortest_backoff = std::chrono::milliseconds(250);
    target.longest_backoff = std::chrono::seconds(5);
    channels.push_back(std::make_unique<http2::Channel>(std::move(target)));
    channels.back()->KeepConnected([changed, i](bool connected) { changed(i, connected); });
  }
  return channels;
}

void GatewayConnection::Abandon(const std::shared_ptr<http2::Channel>& failed) {
  std::lock_guard lock(mutex_);
  if (channel_ != failed) return;
  channel_.reset();
  chosen_ = (chosen_ + 1) % options_.endpoints.size();
}

void GatewayConnection::Cancel() {
  std::lock_guard lock(signal_->mutex);
  signal_->cancelled = true;
  signal_->changed.notify_all();
}

bool GatewayConnection::cancelled() const {
  std::lock_guard lock(signal_->mutex);
  return signal_->cancelled;
}

CallResult<std::shared_ptr<http2::Channel>> GatewayConnection::Connected(MonotonicTime deadline) {
  std::string reason;
  for (std::size_t tries = options_.endpoints.size(); tries > 0; --tries) {
    // Whoever does not answer at all must leave time for the others.
    const MonotonicTime now = DeadlineIn(Duration::zero());
    const MonotonicTime share = now + (deadline - now) / static_cast<int>(tries);
    auto channel = Current();
    const auto failure = WaitUntilConnected(*channel, share);
    if (!failure) return channel;
    reason = *failure;
    if (cancelled()) break;
    Abandon(channel);
  }
  return std::unexpected(NotSent(reason));
}

std::optional<std::string> GatewayConnection::WaitUntilConnected(http2::Channel& channel, MonotonicTime deadline) {
  struct Answer {
    bool given = false;
    std::optional<std::string> why_not;
  };
  const auto answer = std::make_shared<Answer>();
  channel.Connect([signal = signal_, answer](const std::optional<std::string>& why_not) {
    std::lock_guard lock(signal->mutex);
    *answer = {true, why_not};
    signal->changed.notify_all();
  });
  std::unique_lock lock(signal_->mutex);
  signal_->changed.wait_until(lock, runtime::ToSteady(deadline), [&] { return answer->given || signal_->cancelled; });
  if (signal_->cancelled) return "interrupted";
  if (!answer->given) return "no answer in time";
  return answer->why_not ? std::optional(Sanitize(*answer->why_not, 512)) : std::nullopt;
}

CallError GatewayConnection::NotSent(const std::string& reason) const {
  std::string all;
  for (const std::string& endpoint : options_.endpoints) all += (all.empty() ? "" : " or ") + endpoint;
  return {.error = {ErrorCode::kUnavailable, "cannot connect to the gateway at " + all + " (" + reason +
                                                 "); check that it runs and that the certificates are right"},
          .delivery = Delivery::kNotSent,
          .retryable = true,
          .reason_code = {},
          .field = {},
          .prior = {},
          .pushback = {}};
}

}  // namespace strife::rpc
