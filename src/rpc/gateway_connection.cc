#include "rpc/gateway_connection.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "rpc/channel.h"
#include "rpc/tls.h"
#include "runtime/system_clock.h"

namespace strife::rpc {
namespace {

using Stub = GatewayConnection::Stub;

constexpr auto kCancelCheck = std::chrono::milliseconds(100);
constexpr Duration kCredentialsCheck = std::chrono::milliseconds(500);

// Why the channel cannot connect. gRPC tells only a call that it fails, so one that has no effect is made.
std::string ConnectFailure(Stub& failing, std::chrono::system_clock::time_point deadline) {
  grpc::ClientContext context;
  context.set_deadline(deadline);
  v1::GetPaymentResponse response;
  grpc::Status status = failing.GetPayment(&context, v1::GetPaymentRequest(), &response);
  std::string text = Sanitize(status.error_message(), 512);
  if (text.find("Connection refused") != std::string::npos) return "connection refused";
  std::size_t last = text.find("last error: ");
  return last == std::string::npos ? text : text.substr(last + 12);
}

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

std::shared_ptr<grpc::ChannelCredentials> GatewayConnection::Tls(const security::Credentials& current) const {
  return ChannelTls(current, {credentials_->identity().trust_domain, security::Role::kGateway, ""});
}

GatewayConnection::Channel GatewayConnection::Current() {
  auto current = CurrentCredentials();
  std::lock_guard lock(mutex_);
  if (channel_ == nullptr || dialled_with_ != current) {
    channel_ = grpc::CreateCustomChannel(options_.endpoints[chosen_], Tls(*current), CommonArguments());
    stub_ = v1::PaymentGateway::NewStub(channel_);
    dialled_with_ = std::move(current);
  }
  return {channel_, stub_};
}

ConnectionWatch::Channels GatewayConnection::WatchedChannels(
    const std::shared_ptr<const security::Credentials>& current) const {
  ConnectionWatch::Channels channels;
  for (const std::string& endpoint : options_.endpoints) {
    grpc::ChannelArguments arguments = CommonArguments();
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);  // as in channel.cc, also the last
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 250);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
    arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
    channels.push_back(grpc::CreateCustomChannel(endpoint, Tls(*current), arguments));
  }
  return channels;
}

void GatewayConnection::Abandon(const std::shared_ptr<grpc::Channel>& failed) {
  std::lock_guard lock(mutex_);
  if (channel_ != failed) return;
  channel_.reset();
  chosen_ = (chosen_ + 1) % options_.endpoints.size();
}

CallResult<GatewayConnection::Channel> GatewayConnection::Connected(std::chrono::system_clock::time_point deadline) {
  std::string reason;
  for (std::size_t tries = options_.endpoints.size(); tries > 0; --tries) {
    // Whoever does not answer at all must leave time for the others.
    auto now = std::chrono::system_clock::now();
    auto share = now + (deadline - now) / static_cast<int>(tries);
    Channel connecting = Current();
    auto failure = WaitUntilReady(*connecting.channel, *connecting.stub, share);
    if (!failure) return connecting;
    reason = *failure;
    if (cancelled_) break;
    Abandon(connecting.channel);
  }
  return std::unexpected(NotSent(reason));
}

std::optional<std::string> GatewayConnection::WaitUntilReady(grpc::Channel& connecting, Stub& current,
                                                             std::chrono::system_clock::time_point deadline) {
  for (auto state = connecting.GetState(true); state != GRPC_CHANNEL_READY; state = connecting.GetState(true)) {
    if (cancelled_) return "interrupted";
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) {
      return ConnectFailure(current, deadline);
    }
    auto now = std::chrono::system_clock::now();
    if (now >= deadline) return "no answer in time";
    connecting.WaitForStateChange(state, std::min(deadline, now + kCancelCheck));
  }
  return std::nullopt;
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
