#include "rpc/gateway_client.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <mutex>
#include <set>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"
#include "rpc/connection_watch.h"
#include "rpc/gateway_reply.h"
#include "rpc/grpc_setup.h"
#include "rpc/tls.h"
#include "strife/v1/gateway.grpc.pb.h"

namespace strife::rpc {
namespace {

using Stub = v1::PaymentGateway::Stub;

constexpr auto kCancelCheck = std::chrono::milliseconds(100);
constexpr Duration kCredentialsCheck = std::chrono::milliseconds(500);

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  // Retries are client/'s: it knows which calls may be made twice.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // A new channel is a new attempt to connect, not the backoff of the one before.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(limits::kMaxMessageBytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(limits::kMaxMessageBytes));
  return arguments;
}

WallTime WallNow() {
  return WallTime(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

std::chrono::system_clock::time_point Deadline(Duration timeout) { return std::chrono::system_clock::now() + timeout; }

void AddToken(grpc::ClientContext& context, const std::string& access_token) {
  context.AddMetadata("authorization", "Bearer " + access_token);
}

template <typename Response>
auto Translate(const CallResult<Response>& response) -> decltype(FromReply(*response)) {
  if (!response) return std::unexpected(response.error());
  return FromReply(*response);
}

template <typename Response>
CallResult<protocol::PaymentRecord> TranslatePayment(const CallResult<Response>& response) {
  if (!response) return std::unexpected(response.error());
  return FromReply(response->payment());
}

v1::ProcessPaymentsRequest BatchRequest(const std::vector<protocol::PaymentOrder>& orders) {
  STRIFE_ASSERT(orders.size() <= limits::kMaxPaymentsPerCall);
  v1::ProcessPaymentsRequest request;
  for (const auto& order : orders) FillRequest(order, request.add_payments());
  return request;
}

CallResult<GatewayClient::PaymentResults> BatchResults(const v1::ProcessPaymentsResponse& response, std::size_t sent) {
  if (static_cast<std::size_t>(response.results_size()) != sent) {
    return std::unexpected(UnreadableAnswer("another number of results than payments were sent"));
  }
  GatewayClient::PaymentResults results;
  results.reserve(sent);
  for (const auto& result : response.results()) results.push_back(FromReply(result));
  return results;
}

}  // namespace

struct GatewayClient::Impl {
  GatewayClientOptions options;
  std::unique_ptr<security::LiveCredentials> credentials;
  std::function<void(const std::string&)> refused_credentials;
  mutable std::mutex mutex;
  WallTime next_credentials_check;  // guarded, as all below
  std::shared_ptr<const security::Credentials> dialled_with;
  std::size_t chosen = 0;                  // index of the endpoint in use
  std::shared_ptr<grpc::Channel> channel;  // null: to be made anew
  std::shared_ptr<Stub> stub;
  std::set<grpc::ClientContext*> calls;  // blocking calls that are out
  std::atomic<bool> cancelled = false;
  std::unique_ptr<ConnectionWatch> watch;

  std::string Endpoint() const {
    std::lock_guard lock(mutex);
    return options.endpoints[chosen];
  }

  // The credentials as their files are now, looked at now and then.
  std::shared_ptr<const security::Credentials> CurrentCredentials() {
    const WallTime now = WallNow();
    std::unique_lock lock(mutex);
    // A clock that has been set back must not stop the looking.
    if (now < next_credentials_check && next_credentials_check - now <= kCredentialsCheck) {
      return credentials->current();
    }
    next_credentials_check = now + kCredentialsCheck;
    lock.unlock();
    const auto outcome = credentials->Poll(now);
    for (const std::string& problem : outcome.problems) {
      if (refused_credentials) refused_credentials(problem);
    }
    return credentials->current();
  }

  std::shared_ptr<grpc::ChannelCredentials> Tls(const security::Credentials& current) const {
    return ChannelTls(current, {credentials->identity().trust_domain, security::Role::kGateway, ""});
  }

  struct Connection {
    std::shared_ptr<grpc::Channel> channel;
    std::shared_ptr<Stub> stub;
  };

  Connection Current() {
    auto current = CurrentCredentials();
    std::lock_guard lock(mutex);
    if (channel == nullptr || dialled_with != current) {
      channel = grpc::CreateCustomChannel(options.endpoints[chosen], Tls(*current), Arguments());
      stub = v1::PaymentGateway::NewStub(channel);
      dialled_with = std::move(current);
    }
    return {channel, stub};
  }

  // One to each endpoint, which connect again by themselves.
  ConnectionWatch::Channels WatchedChannels(const std::shared_ptr<const security::Credentials>& current) const {
    ConnectionWatch::Channels channels;
    for (const std::string& endpoint : options.endpoints) {
      grpc::ChannelArguments arguments = Arguments();
      arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);  // as in channel.cc, also the last
      arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 250);
      arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
      arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
      channels.push_back(grpc::CreateCustomChannel(endpoint, Tls(*current), arguments));
    }
    return channels;
  }

  // The next call makes a new connection, to the next endpoint.
  void Abandon(const std::shared_ptr<grpc::Channel>& failed) {
    std::lock_guard lock(mutex);
    if (channel != failed) return;
    channel.reset();
    chosen = (chosen + 1) % options.endpoints.size();
  }

  // One that is made: until then nothing has been sent, whatever goes wrong.
  CallResult<Connection> Connected(std::chrono::system_clock::time_point deadline) {
    std::string reason;
    for (std::size_t tries = options.endpoints.size(); tries > 0; --tries) {
      // Whoever does not answer at all must leave time for the others.
      auto now = std::chrono::system_clock::now();
      auto share = now + (deadline - now) / static_cast<int>(tries);
      Connection connecting = Current();
      auto failure = WaitUntilReady(*connecting.channel, *connecting.stub, share);
      if (!failure) return connecting;
      reason = *failure;
      if (cancelled) break;
      Abandon(connecting.channel);
    }
    return std::unexpected(NotSent(reason));
  }

  // Why the channel cannot be used, if it cannot.
  std::optional<std::string> WaitUntilReady(grpc::Channel& connecting, Stub& current,
                                            std::chrono::system_clock::time_point deadline) {
    for (auto state = connecting.GetState(true); state != GRPC_CHANNEL_READY; state = connecting.GetState(true)) {
      if (cancelled) return "interrupted";
      if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) {
        return ConnectFailure(current, deadline);
      }
      auto now = std::chrono::system_clock::now();
      if (now >= deadline) return "no answer in time";
      connecting.WaitForStateChange(state, std::min(deadline, now + kCancelCheck));
    }
    return std::nullopt;
  }

  // Why the channel cannot connect. gRPC tells only a call that it fails, so one that has no effect is made.
  static std::string ConnectFailure(Stub& failing, std::chrono::system_clock::time_point deadline) {
    grpc::ClientContext context;
    context.set_deadline(deadline);
    v1::GetPaymentResponse response;
    grpc::Status status = failing.GetPayment(&context, v1::GetPaymentRequest(), &response);
    std::string text = Sanitize(status.error_message(), 512);
    if (text.find("Connection refused") != std::string::npos) return "connection refused";
    std::size_t last = text.find("last error: ");
    return last == std::string::npos ? text : text.substr(last + 12);
  }

  CallError NotSent(const std::string& reason) const {
    std::string all;
    for (const std::string& endpoint : options.endpoints) all += (all.empty() ? "" : " or ") + endpoint;
    return {.error = {ErrorCode::kUnavailable, "cannot connect to the gateway at " + all + " (" + reason +
                                                   "); check that it runs and that the certificates are right"},
            .delivery = Delivery::kNotSent,
            .retryable = true,
            .reason_code = {},
            .field = {},
            .prior = {},
            .pushback = {}};
  }

  // One blocking call.
  template <typename Request, typename Response>
  CallResult<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                            const std::string* access_token, const Request& request, Effect effect) {
    auto deadline = Deadline(options.timeout);
    auto connection = Connected(deadline);
    if (!connection) return std::unexpected(std::move(connection.error()));
    grpc::ClientContext context;
    context.set_deadline(deadline);
    if (access_token != nullptr) AddToken(context, *access_token);
    AddTrace(context);
    Response response;
    if (!Enter(context)) return std::unexpected(NotSent("interrupted"));
    grpc::Status status = ((*connection->stub).*method)(&context, request, &response);
    Leave(context);
    if (status.ok()) return response;
    auto error = FromStatus(status, context, effect, Endpoint());
    // It is leaving, or cannot serve: another one may.
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE && options.endpoints.size() > 1) {
      Abandon(connection->channel);
    }
    return std::unexpected(std::move(error));
  }

  // One call that does not wait. `translate` makes of the response what `done` is given; both run on a gRPC thread.
  template <typename Request, typename Response, typename Translate, typename Done>
  void CallAsync(void (Stub::async::*method)(grpc::ClientContext*, const Request*, Response*,
                                             std::function<void(grpc::Status)>),
                 const std::string& access_token, Request request, Effect effect, Translate translate, Done done) {
    struct AsyncCall {
      grpc::ClientContext context;
      Request request;
      Response response;
      Done done;
      std::string endpoint;
      std::shared_ptr<Stub> stub;
    };
    auto call = std::make_shared<AsyncCall>();
    call->context.set_deadline(Deadline(options.timeout));
    AddToken(call->context, access_token);
    AddTrace(call->context);
    call->request = std::move(request);
    call->done = std::move(done);
    call->endpoint = Endpoint();
    call->stub = Current().stub;
    (call->stub->async()->*method)(
        &call->context, &call->request, &call->response, [call, effect, translate](const grpc::Status& status) {
          if (status.ok()) return call->done(translate(call->response));
          call->done(std::unexpected(FromStatus(status, call->context, effect, call->endpoint)));
        });
  }

  void AddTrace(grpc::ClientContext& context) const {
    if (!options.traceparent.empty()) context.AddMetadata("traceparent", options.traceparent);
  }

  // From here to Leave the call can be cancelled; false: it is not to be made any more.
  bool Enter(grpc::ClientContext& context) {
    std::lock_guard lock(mutex);
    if (!cancelled) calls.insert(&context);
    return !cancelled;
  }
  void Leave(grpc::ClientContext& context) {
    std::lock_guard lock(mutex);
    calls.erase(&context);
  }
};

GatewayClient::GatewayClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GatewayClient::~GatewayClient() = default;

Result<std::unique_ptr<GatewayClient>> GatewayClient::Create(const GatewayClientOptions& options) {
  auto credentials = security::LiveCredentials::Open(options.files, security::Role::kClient, WallNow());
  if (!credentials) return std::unexpected(credentials.error());
  STRIFE_ASSERT(!options.endpoints.empty());
  SetUpGrpc();
  QuietGrpc();
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->credentials = *std::move(credentials);
  return std::unique_ptr<GatewayClient>(new GatewayClient(std::move(impl)));
}

void GatewayClient::OnRefusedCredentials(std::function<void(const std::string&)> told) {
  impl_->refused_credentials = std::move(told);
}

CallResult<void> GatewayClient::Connect() {
  auto connected = impl_->Connected(Deadline(impl_->options.timeout));
  if (!connected) return std::unexpected(std::move(connected.error()));
  return {};
}

std::string GatewayClient::endpoint() const { return impl_->Endpoint(); }

void GatewayClient::Cancel() {
  std::lock_guard lock(impl_->mutex);
  impl_->cancelled = true;
  for (grpc::ClientContext* call : impl_->calls) call->TryCancel();
}

void GatewayClient::WatchConnection(std::function<void(bool)> changed) {
  STRIFE_ASSERT(!impl_->watch);
  struct Watched {
    std::shared_ptr<const security::Credentials> dialled_with;
    ConnectionWatch::Channels channels;
  };
  const auto give = [impl = impl_.get(), watched = std::make_shared<Watched>()] {
    auto current = impl->CurrentCredentials();
    if (watched->dialled_with != current) {
      watched->channels = impl->WatchedChannels(current);
      watched->dialled_with = std::move(current);
    }
    return watched->channels;
  };
  impl_->watch = std::make_unique<ConnectionWatch>(give, std::move(changed));
}

std::vector<std::string> GatewayClient::EndingSoon() const {
  return security::EndingSoon(*impl_->credentials->current(), impl_->options.files, WallNow());
}

CallResult<SessionGrant> GatewayClient::AuthenticateClient(const std::string& username, const std::string& password) {
  v1::AuthenticateClientRequest request;
  request.set_username(username);
  request.set_password(password);
  return Translate(impl_->Call(&Stub::AuthenticateClient, nullptr, request, Effect::kNone));
}

CallResult<SessionGrant> GatewayClient::RefreshSession(const std::string& refresh_token) {
  v1::RefreshSessionRequest request;
  request.set_refresh_token(refresh_token);
  return Translate(impl_->Call(&Stub::RefreshSession, nullptr, request, Effect::kNone));
}

CallResult<void> GatewayClient::LogoutClient(const std::string& access_token) {
  auto response = impl_->Call(&Stub::LogoutClient, &access_token, v1::LogoutClientRequest(), Effect::kNone);
  if (!response) return std::unexpected(std::move(response.error()));
  return {};
}

CallResult<protocol::PaymentRecord> GatewayClient::ProcessPayment(const std::string& access_token,
                                                                  const protocol::PaymentOrder& order) {
  v1::ProcessPaymentRequest request;
  FillRequest(order, &request);
  return TranslatePayment(impl_->Call(&Stub::ProcessPayment, &access_token, request, Effect::kPayment));
}

void GatewayClient::ProcessPaymentAsync(const std::string& access_token, const protocol::PaymentOrder& order,
                                        PaymentCallback done) {
  struct AsyncCall {
    grpc::ClientContext context;
    v1::ProcessPaymentRequest request;
    v1::ProcessPaymentResponse response;
    PaymentCallback done;
    std::string endpoint;
    std::shared_ptr<Stub> stub;
  };
  auto call = std::make_shared<AsyncCall>();
  call->context.set_deadline(Deadline(impl_->options.timeout));
  AddToken(call->context, access_token);
  impl_->AddTrace(call->context);
  FillRequest(order, &call->request);
  call->done = std::move(done);
  call->endpoint = impl_->Endpoint();
  call->stub = impl_->Current().stub;
  call->stub->async()->ProcessPayment(
      &call->context, &call->request, &call->response, [call](const grpc::Status& status) {
        if (status.ok()) return call->done(FromReply(call->response.payment()));
        call->done(std::unexpected(FromStatus(status, call->context, Effect::kPayment, call->endpoint)));
      });
}

CallResult<GatewayClient::PaymentResults> GatewayClient::ProcessPayments(
    const std::string& access_token, const std::vector<protocol::PaymentOrder>& orders) {
  auto response = impl_->Call(&Stub::ProcessPayments, &access_token, BatchRequest(orders), Effect::kPayment);
  if (!response) return std::unexpected(std::move(response.error()));
  return BatchResults(*response, orders.size());
}

CallResult<protocol::PaymentRecord> GatewayClient::GetPayment(const std::string& access_token, const Uuid& id) {
  v1::GetPaymentRequest request;
  request.set_transaction_id(id.ToString());
  return TranslatePayment(impl_->Call(&Stub::GetPayment, &access_token, request, Effect::kNone));
}

CallResult<PaymentTrace> GatewayClient::TracePayment(const std::string& access_token, const Uuid& id) {
  v1::TracePaymentRequest request;
  request.set_transaction_id(id.ToString());
  return Translate(impl_->Call(&Stub::TracePayment, &access_token, request, Effect::kNone));
}

CallResult<Balance> GatewayClient::CheckBalance(const std::string& access_token, const std::string& bank_id) {
  v1::CheckBalanceRequest request;
  request.set_bank_id(bank_id);
  return Translate(impl_->Call(&Stub::CheckBalance, &access_token, request, Effect::kNone));
}

CallResult<HistoryPage> GatewayClient::ViewTransactionHistory(const std::string& access_token,
                                                              const HistoryRequest& page) {
  v1::ViewTransactionHistoryRequest request;
  FillRequest(page, &request);
  return Translate(impl_->Call(&Stub::ViewTransactionHistory, &access_token, request, Effect::kNone));
}

void GatewayClient::ProcessPaymentsAsync(const std::string& access_token,
                                         const std::vector<protocol::PaymentOrder>& orders,
                                         Callback<PaymentResults> done) {
  impl_->CallAsync<v1::ProcessPaymentsRequest, v1::ProcessPaymentsResponse>(
      &Stub::async::ProcessPayments, access_token, BatchRequest(orders), Effect::kPayment,
      [sent = orders.size()](const auto& response) { return BatchResults(response, sent); }, std::move(done));
}

void GatewayClient::GetPaymentAsync(const std::string& access_token, const Uuid& id, PaymentCallback done) {
  v1::GetPaymentRequest request;
  request.set_transaction_id(id.ToString());
  impl_->CallAsync<v1::GetPaymentRequest, v1::GetPaymentResponse>(
      &Stub::async::GetPayment, access_token, std::move(request), Effect::kNone,
      [](const auto& response) { return FromReply(response.payment()); }, std::move(done));
}

void GatewayClient::CheckBalanceAsync(const std::string& access_token, const std::string& bank_id,
                                      Callback<Balance> done) {
  v1::CheckBalanceRequest request;
  request.set_bank_id(bank_id);
  impl_->CallAsync<v1::CheckBalanceRequest, v1::CheckBalanceResponse>(
      &Stub::async::CheckBalance, access_token, std::move(request), Effect::kNone,
      [](const auto& response) { return FromReply(response); }, std::move(done));
}

void GatewayClient::ViewTransactionHistoryAsync(const std::string& access_token, const HistoryRequest& page,
                                                Callback<HistoryPage> done) {
  v1::ViewTransactionHistoryRequest request;
  FillRequest(page, &request);
  impl_->CallAsync<v1::ViewTransactionHistoryRequest, v1::ViewTransactionHistoryResponse>(
      &Stub::async::ViewTransactionHistory, access_token, std::move(request), Effect::kNone,
      [](const auto& response) { return FromReply(response); }, std::move(done));
}

}  // namespace strife::rpc
