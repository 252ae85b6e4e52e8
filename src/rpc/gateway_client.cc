#include "rpc/gateway_client.h"

#include <grpcpp/grpcpp.h>

#include <mutex>
#include <set>

#include "base/assert.h"
#include "base/limits.h"
#include "rpc/gateway_connection.h"
#include "rpc/gateway_reply.h"
#include "rpc/grpc_setup.h"
#include "runtime/system_clock.h"

namespace strife::rpc {
namespace {

using Stub = GatewayConnection::Stub;

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
  Impl(const GatewayClientOptions& client_options, std::unique_ptr<security::LiveCredentials> credentials)
      : options(client_options), connection(options, std::move(credentials)) {}

  const GatewayClientOptions options;
  GatewayConnection connection;
  std::mutex mutex;
  std::set<grpc::ClientContext*> calls;  // blocking calls that are out; guarded
  std::unique_ptr<ConnectionWatch> watch;

  // One blocking call.
  template <typename Request, typename Response>
  CallResult<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                            const std::string* access_token, const Request& request, Effect effect) {
    auto deadline = Deadline(options.timeout);
    auto connected = connection.Connected(deadline);
    if (!connected) return std::unexpected(std::move(connected.error()));
    grpc::ClientContext context;
    context.set_deadline(deadline);
    if (access_token != nullptr) AddToken(context, *access_token);
    AddTrace(context);
    Response response;
    if (!Enter(context)) return std::unexpected(connection.NotSent("interrupted"));
    grpc::Status status = ((*connected->stub).*method)(&context, request, &response);
    Leave(context);
    if (status.ok()) return response;
    auto error = FromStatus(status, context, effect, connection.Endpoint());
    // It is leaving, or cannot serve: another one may.
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE && options.endpoints.size() > 1) {
      connection.Abandon(connected->channel);
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
    call->endpoint = connection.Endpoint();
    call->stub = connection.Current().stub;
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
    if (connection.cancelled()) return false;
    calls.insert(&context);
    return true;
  }
  void Leave(grpc::ClientContext& context) {
    std::lock_guard lock(mutex);
    calls.erase(&context);
  }
};

GatewayClient::GatewayClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GatewayClient::~GatewayClient() = default;

Result<std::unique_ptr<GatewayClient>> GatewayClient::Create(const GatewayClientOptions& options) {
  auto credentials = security::LiveCredentials::Open(options.files, security::Role::kClient, runtime::WallNow());
  if (!credentials) return std::unexpected(credentials.error());
  STRIFE_ASSERT(!options.endpoints.empty());
  SetUpGrpc();
  QuietGrpc();
  auto impl = std::make_unique<Impl>(options, *std::move(credentials));
  return std::unique_ptr<GatewayClient>(new GatewayClient(std::move(impl)));
}

void GatewayClient::OnRefusedCredentials(std::function<void(const std::string&)> told) {
  impl_->connection.OnRefusedCredentials(std::move(told));
}

CallResult<void> GatewayClient::Connect() {
  auto connected = impl_->connection.Connected(Deadline(impl_->options.timeout));
  if (!connected) return std::unexpected(std::move(connected.error()));
  return {};
}

std::string GatewayClient::endpoint() const { return impl_->connection.Endpoint(); }

void GatewayClient::Cancel() {
  std::lock_guard lock(impl_->mutex);
  impl_->connection.Cancel();
  for (grpc::ClientContext* call : impl_->calls) call->TryCancel();
}

void GatewayClient::WatchConnection(std::function<void(bool)> changed) {
  STRIFE_ASSERT(!impl_->watch);
  struct Watched {
    std::shared_ptr<const security::Credentials> dialled_with;
    ConnectionWatch::Channels channels;
  };
  const auto give = [connection = &impl_->connection, watched = std::make_shared<Watched>()] {
    auto current = connection->CurrentCredentials();
    if (watched->dialled_with != current) {
      watched->channels = connection->WatchedChannels(current);
      watched->dialled_with = std::move(current);
    }
    return watched->channels;
  };
  impl_->watch = std::make_unique<ConnectionWatch>(give, std::move(changed));
}

std::vector<std::string> GatewayClient::EndingSoon() const {
  return security::EndingSoon(*impl_->connection.Credentials(), impl_->options.files, runtime::WallNow());
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
  v1::ProcessPaymentRequest request;
  FillRequest(order, &request);
  impl_->CallAsync<v1::ProcessPaymentRequest, v1::ProcessPaymentResponse>(
      &Stub::async::ProcessPayment, access_token, std::move(request), Effect::kPayment,
      [](const auto& response) { return FromReply(response.payment()); }, std::move(done));
}

CallResult<GatewayClient::PaymentResults> GatewayClient::ProcessPayments(
    const std::string& access_token, const std::vector<protocol::PaymentOrder>& orders) {
  auto response = impl_->Call(&Stub::ProcessPayments, &access_token, BatchRequest(orders), Effect::kPayment);
  if (!response) return std::unexpected(std::move(response.error()));
  return BatchResults(*response, orders.size());
}

CallResult<protocol::PaymentRecord> GatewayClient::CancelPayment(const std::string& access_token,
                                                                 const protocol::PaymentOrder& order) {
  v1::CancelPaymentRequest request;
  FillRequest(order, request.mutable_payment());
  return TranslatePayment(impl_->Call(&Stub::CancelPayment, &access_token, request, Effect::kPayment));
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
