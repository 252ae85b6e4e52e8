#include "rpc/gateway_client.h"

#include <future>
#include <map>
#include <mutex>

#include "base/assert.h"
#include "base/limits.h"
#include "rpc/connection_watch.h"
#include "rpc/gateway_connection.h"
#include "rpc/gateway_reply.h"
#include "rpc/messages.h"
#include "runtime/system_clock.h"

namespace strife::rpc {
namespace {

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
  Impl(const GatewayClientOptions& client_options, std::unique_ptr<security::LiveCredentials> credentials)
      : options(client_options), connection(options, std::move(credentials)) {}

  const GatewayClientOptions options;
  GatewayConnection connection;
  std::mutex mutex;
  // Blocking calls that are out; guarded.
  std::map<std::shared_ptr<http2::ClientCall>, std::shared_ptr<http2::Channel>> calls;
  std::unique_ptr<ConnectionWatch> watch;

  // One blocking call.
  template <typename Response>
  CallResult<Response> Ask(const char* method, const std::string* access_token,
                           const google::protobuf::MessageLite& request, Effect effect) {
    const MonotonicTime deadline = DeadlineIn(options.timeout);
    auto connected = connection.Connected(deadline);
    if (!connected) return std::unexpected(std::move(connected.error()));
    const std::shared_ptr<http2::Channel> channel = *connected;
    std::promise<std::pair<http2::CallStatus, Response>> promise;
    auto answer = promise.get_future();
    CallOptions call_options{deadline - DeadlineIn(Duration::zero()), Metadata(access_token)};
    std::shared_ptr<http2::ClientCall> call;
    {
      // From here on the call can be cancelled.
      std::lock_guard lock(mutex);
      if (connection.cancelled()) return std::unexpected(connection.NotSent("interrupted"));
      call = Call<Response>(*channel, Path(method), request, std::move(call_options),
                            [&promise](const http2::CallStatus& status, Response& response) {
                              promise.set_value({status, std::move(response)});
                            });
      calls.emplace(call, channel);
    }
    auto [status, response] = answer.get();
    {
      std::lock_guard lock(mutex);
      calls.erase(call);
    }
    if (Is(status, http2::Code::kOk)) return std::move(response);
    auto error = FromStatus(status, effect, connection.Endpoint());
    // It is leaving, or cannot serve: another one may.
    if (Is(status, http2::Code::kUnavailable) && options.endpoints.size() > 1) connection.Abandon(channel);
    return std::unexpected(std::move(error));
  }

  // One call that does not wait. `translate` makes of the response what `done` is given; both run on the channels'
  // thread.
  template <typename Response, typename Translate, typename Done>
  void AskAsync(const char* method, const std::string& access_token, const google::protobuf::MessageLite& request,
                Effect effect, Translate translate, Done done) {
    Call<Response>(*connection.Current(), Path(method), request, {options.timeout, Metadata(&access_token)},
                   [done = std::move(done), endpoint = connection.Endpoint(), effect, translate](
                       const http2::CallStatus& status, const Response& response) {
                     if (Is(status, http2::Code::kOk)) return done(translate(response));
                     done(std::unexpected(FromStatus(status, effect, endpoint)));
                   });
  }

  static std::string Path(const char* method) { return std::string("/strife.v1.PaymentGateway/") + method; }

  std::vector<std::pair<std::string, std::string>> Metadata(const std::string* access_token) const {
    std::vector<std::pair<std::string, std::string>> metadata;
    if (access_token != nullptr) metadata.emplace_back("authorization", "Bearer " + *access_token);
    if (!options.traceparent.empty()) metadata.emplace_back("traceparent", options.traceparent);
    return metadata;
  }
};

GatewayClient::GatewayClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GatewayClient::~GatewayClient() = default;

Result<std::unique_ptr<GatewayClient>> GatewayClient::Create(const GatewayClientOptions& options) {
  auto credentials = security::LiveCredentials::Open(options.files, security::Role::kClient, runtime::WallNow());
  if (!credentials) return std::unexpected(credentials.error());
  STRIFE_ASSERT(!options.endpoints.empty());
  QuietProtobuf();
  auto impl = std::make_unique<Impl>(options, *std::move(credentials));
  return std::unique_ptr<GatewayClient>(new GatewayClient(std::move(impl)));
}

void GatewayClient::OnRefusedCredentials(std::function<void(const std::string&)> told) {
  impl_->connection.OnRefusedCredentials(std::move(told));
}

CallResult<void> GatewayClient::Connect() {
  auto connected = impl_->connection.Connected(DeadlineIn(impl_->options.timeout));
  if (!connected) return std::unexpected(std::move(connected.error()));
  return {};
}

std::string GatewayClient::endpoint() const { return impl_->connection.Endpoint(); }

void GatewayClient::Cancel() {
  std::lock_guard lock(impl_->mutex);
  impl_->connection.Cancel();
  for (const auto& [call, channel] : impl_->calls) channel->Cancel(call);
}

void GatewayClient::WatchConnection(std::function<void(bool)> changed) {
  STRIFE_ASSERT(!impl_->watch);
  impl_->watch = std::make_unique<ConnectionWatch>(impl_->connection, std::move(changed));
}

std::vector<std::string> GatewayClient::EndingSoon() const {
  return security::EndingSoon(*impl_->connection.Credentials(), impl_->options.files, runtime::WallNow());
}

CallResult<SessionGrant> GatewayClient::AuthenticateClient(const std::string& username, const std::string& password) {
  v1::AuthenticateClientRequest request;
  request.set_username(username);
  request.set_password(password);
  return Translate(impl_->Ask<v1::AuthenticateClientResponse>("AuthenticateClient", nullptr, request, Effect::kNone));
}

CallResult<SessionGrant> GatewayClient::RefreshSession(const std::string& refresh_token) {
  v1::RefreshSessionRequest request;
  request.set_refresh_token(refresh_token);
  return Translate(impl_->Ask<v1::RefreshSessionResponse>("RefreshSession", nullptr, request, Effect::kNone));
}

CallResult<void> GatewayClient::LogoutClient(const std::string& access_token) {
  auto response =
      impl_->Ask<v1::LogoutClientResponse>("LogoutClient", &access_token, v1::LogoutClientRequest(), Effect::kNone);
  if (!response) return std::unexpected(std::move(response.error()));
  return {};
}

CallResult<protocol::PaymentRecord> GatewayClient::ProcessPayment(const std::string& access_token,
                                                                  const protocol::PaymentOrder& order) {
  v1::ProcessPaymentRequest request;
  FillRequest(order, &request);
  return TranslatePayment(
      impl_->Ask<v1::ProcessPaymentResponse>("ProcessPayment", &access_token, request, Effect::kPayment));
}

void GatewayClient::ProcessPaymentAsync(const std::string& access_token, const protocol::PaymentOrder& order,
                                        PaymentCallback done) {
  v1::ProcessPaymentRequest request;
  FillRequest(order, &request);
  impl_->AskAsync<v1::ProcessPaymentResponse>(
      "ProcessPayment", access_token, request, Effect::kPayment,
      [](const auto& response) { return FromReply(response.payment()); }, std::move(done));
}

CallResult<GatewayClient::PaymentResults> GatewayClient::ProcessPayments(
    const std::string& access_token, const std::vector<protocol::PaymentOrder>& orders) {
  auto response =
      impl_->Ask<v1::ProcessPaymentsResponse>("ProcessPayments", &access_token, BatchRequest(orders), Effect::kPayment);
  if (!response) return std::unexpected(std::move(response.error()));
  return BatchResults(*response, orders.size());
}

CallResult<protocol::PaymentRecord> GatewayClient::CancelPayment(const std::string& access_token,
                                                                 const protocol::PaymentOrder& order) {
  v1::CancelPaymentRequest request;
  FillRequest(order, request.mutable_payment());
  return TranslatePayment(
      impl_->Ask<v1::CancelPaymentResponse>("CancelPayment", &access_token, request, Effect::kPayment));
}

CallResult<protocol::PaymentRecord> GatewayClient::GetPayment(const std::string& access_token, const Uuid& id) {
  v1::GetPaymentRequest request;
  request.set_transaction_id(id.ToString());
  return TranslatePayment(impl_->Ask<v1::GetPaymentResponse>("GetPayment", &access_token, request, Effect::kNone));
}

CallResult<PaymentTrace> GatewayClient::TracePayment(const std::string& access_token, const Uuid& id) {
  v1::TracePaymentRequest request;
  request.set_transaction_id(id.ToString());
  return Translate(impl_->Ask<v1::TracePaymentResponse>("TracePayment", &access_token, request, Effect::kNone));
}

CallResult<Balance> GatewayClient::CheckBalance(const std::string& access_token, const std::string& bank_id) {
  v1::CheckBalanceRequest request;
  request.set_bank_id(bank_id);
  return Translate(impl_->Ask<v1::CheckBalanceResponse>("CheckBalance", &access_token, request, Effect::kNone));
}

CallResult<HistoryPage> GatewayClient::ViewTransactionHistory(const std::string& access_token,
                                                              const HistoryRequest& page) {
  v1::ViewTransactionHistoryRequest request;
  FillRequest(page, &request);
  return Translate(
      impl_->Ask<v1::ViewTransactionHistoryResponse>("ViewTransactionHistory", &access_token, request, Effect::kNone));
}

void GatewayClient::ProcessPaymentsAsync(const std::string& access_token,
                                         const std::vector<protocol::PaymentOrder>& orders,
                                         Callback<PaymentResults> done) {
  impl_->AskAsync<v1::ProcessPaymentsResponse>(
      "ProcessPayments", access_token, BatchRequest(orders), Effect::kPayment,
      [sent = orders.size()](const auto& response) { return BatchResults(response, sent); }, std::move(done));
}

void GatewayClient::GetPaymentAsync(const std::string& access_token, const Uuid& id, PaymentCallback done) {
  v1::GetPaymentRequest request;
  request.set_transaction_id(id.ToString());
  impl_->AskAsync<v1::GetPaymentResponse>(
      "GetPayment", access_token, request, Effect::kNone,
      [](const auto& response) { return FromReply(response.payment()); }, std::move(done));
}

void GatewayClient::CheckBalanceAsync(const std::string& access_token, const std::string& bank_id,
                                      Callback<Balance> done) {
  v1::CheckBalanceRequest request;
  request.set_bank_id(bank_id);
  impl_->AskAsync<v1::CheckBalanceResponse>(
      "CheckBalance", access_token, request, Effect::kNone, [](const auto& response) { return FromReply(response); },
      std::move(done));
}

void GatewayClient::ViewTransactionHistoryAsync(const std::string& access_token, const HistoryRequest& page,
                                                Callback<HistoryPage> done) {
  v1::ViewTransactionHistoryRequest request;
  FillRequest(page, &request);
  impl_->AskAsync<v1::ViewTransactionHistoryResponse>(
      "ViewTransactionHistory", access_token, request, Effect::kNone,
      [](const auto& response) { return FromReply(response); }, std::move(done));
}

}  // namespace strife::rpc
