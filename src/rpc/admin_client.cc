#include "rpc/admin_client.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "base/text.h"
#include "rpc/admin_convert.h"
#include "rpc/channel.h"
#include "rpc/trace_convert.h"
#include "strife/v1/admin.grpc.pb.h"

namespace strife::rpc {
namespace {

std::string Who(const AdminTarget& target) {
  return target.expected.name.empty() ? std::string(security::RoleName(target.expected.role)) : target.expected.name;
}

ErrorCode CodeOf(grpc::StatusCode code, bool changes) {
  switch (code) {
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return ErrorCode::kPermissionDenied;
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::NOT_FOUND:
      return ErrorCode::kInvalidInput;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return ErrorCode::kResourceExhausted;
    default:
      return changes ? ErrorCode::kUnknownOutcome : ErrorCode::kUnavailable;
  }
}

// Fails as soon as the first attempt has.
bool Connect(grpc::Channel& channel, std::chrono::system_clock::time_point deadline) {
  for (auto state = channel.GetState(true); state != GRPC_CHANNEL_READY; state = channel.GetState(true)) {
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) return false;
    if (!channel.WaitForStateChange(state, deadline)) return false;
  }
  return true;
}

// `method` is the generated one. A call is only made on a connection that stands, so that "cannot connect" is sure to
// mean that nothing was done.
template <typename Stub, typename Request, typename Response>
Result<Response> Call(const AdminTarget& target, bool changes,
                      std::unique_ptr<Stub> (*make)(const std::shared_ptr<grpc::ChannelInterface>&,
                                                    const grpc::StubOptions&),
                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      const Request& request) {
  const auto deadline = std::chrono::system_clock::now() + target.timeout;
  const auto channel = OpenChannel(target.endpoint, *target.credentials, target.expected);
  if (!Connect(*channel, deadline)) {
    return Fail(ErrorCode::kUnavailable, "cannot connect to " + Who(target) + " at " + target.endpoint +
                                             "; check that it runs and that the certificates are right");
  }
  const auto stub = make(channel, grpc::StubOptions());
  grpc::ClientContext context;
  context.set_deadline(deadline);
  Response response;
  const grpc::Status status = ((*stub).*method)(&context, request, &response);
  if (!status.ok()) {
    return Fail(CodeOf(status.error_code(), changes), Who(target) + ": " + Sanitize(status.error_message(), 512));
  }
  return response;
}

template <typename Message>
auto Read(const AdminTarget& target, const Message& message)
    -> Result<typename decltype(FromProto(message))::value_type> {
  auto read = FromProto(message);
  if (!read) {
    return Fail(ErrorCode::kInternal, "the answer of " + Who(target) + " at " + target.endpoint +
                                          " cannot be read; run the same version of strife on both sides");
  }
  return *std::move(read);
}

}  // namespace

Result<protocol::ListOpenAnswer> ListInDoubtPayments(const AdminTarget& gateway, Duration min_age, int limit) {
  v1::ListInDoubtPaymentsRequest request;
  request.mutable_min_age()->set_seconds(min_age.count() / 1'000'000);
  request.mutable_min_age()->set_nanos(static_cast<std::int32_t>(min_age.count() % 1'000'000 * 1000));
  request.set_limit(limit);
  auto response =
      Call(gateway, false, &v1::GatewayAdmin::NewStub, &v1::GatewayAdmin::Stub::ListInDoubtPayments, request);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(gateway, *response);
}

Result<PaymentTrace> TracePayment(const AdminTarget& gateway, const Uuid& id) {
  v1::TracePaymentRequest request;
  request.set_transaction_id(id.ToString());
  auto response = Call(gateway, false, &v1::GatewayAdmin::NewStub, &v1::GatewayAdmin::Stub::TracePayment, request);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(gateway, response->trace());
}

Result<protocol::InDoubtAnswer> ListInDoubtTransactions(const AdminTarget& bank, int limit) {
  v1::ListInDoubtTransactionsRequest request;
  request.set_limit(limit);
  auto response = Call(bank, false, &v1::BankAdmin::NewStub, &v1::BankAdmin::Stub::ListInDoubtTransactions, request);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(bank, *response);
}

Result<protocol::HeuristicRecord> ForceTransaction(const AdminTarget& bank, const Uuid& id,
                                                   protocol::Decision decision) {
  v1::ForceTransactionRequest request;
  request.set_transaction_id(id.ToString());
  request.set_decision(decision == protocol::Decision::kCommit ? v1::DECISION_COMMIT : v1::DECISION_ABORT);
  auto response = Call(bank, true, &v1::BankAdmin::NewStub, &v1::BankAdmin::Stub::ForceTransaction, request);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(bank, response->heuristic());
}

Result<protocol::HeuristicRecord> AcknowledgeTransaction(const AdminTarget& bank, const Uuid& id) {
  v1::AcknowledgeTransactionRequest request;
  request.set_transaction_id(id.ToString());
  auto response = Call(bank, true, &v1::BankAdmin::NewStub, &v1::BankAdmin::Stub::AcknowledgeTransaction, request);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(bank, response->heuristic());
}

Result<BanksOverview> ListBanks(const AdminTarget& gateway) {
  auto response =
      Call(gateway, false, &v1::GatewayAdmin::NewStub, &v1::GatewayAdmin::Stub::ListBanks, v1::ListBanksRequest());
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(gateway, *response);
}

Result<TransactionsPage> ListTransactions(const AdminTarget& gateway, const TransactionsRequest& request) {
  v1::ListTransactionsRequest message;
  ToProto(request, message);
  auto response = Call(gateway, false, &v1::GatewayAdmin::NewStub, &v1::GatewayAdmin::Stub::ListTransactions, message);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(gateway, *response);
}

Result<SessionsPage> ListSessions(const AdminTarget& gateway, const std::string& username, int page_size,
                                  const std::string& page_token) {
  v1::ListSessionsRequest message;
  message.set_username(username);
  message.set_page_size(page_size);
  message.set_page_token(page_token);
  auto response = Call(gateway, false, &v1::GatewayAdmin::NewStub, &v1::GatewayAdmin::Stub::ListSessions, message);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(gateway, *response);
}

Result<std::size_t> EndSessions(const AdminTarget& gateway, const std::string& session_id,
                                const std::string& username) {
  v1::EndSessionsRequest message;
  message.set_session_id(session_id);
  message.set_username(username);
  auto response = Call(gateway, true, &v1::GatewayAdmin::NewStub, &v1::GatewayAdmin::Stub::EndSessions, message);
  if (!response) return std::unexpected(std::move(response.error()));
  return response->ended();
}

Result<SuspensionRecord> SetSuspension(const AdminTarget& gateway, const SuspensionRecord& record) {
  v1::SetSuspensionRequest message;
  ToProto(record, *message.mutable_suspension());
  message.mutable_suspension()->clear_at();
  message.set_suspended(record.suspended);
  auto response = Call(gateway, true, &v1::GatewayAdmin::NewStub, &v1::GatewayAdmin::Stub::SetSuspension, message);
  if (!response) return std::unexpected(std::move(response.error()));
  auto done = Read(gateway, response->suspension());
  if (done) done->suspended = record.suspended;
  return done;
}

Result<DrainState> SetDraining(const AdminTarget& gateway, bool draining) {
  v1::SetDrainingRequest message;
  message.set_draining(draining);
  auto response = Call(gateway, true, &v1::GatewayAdmin::NewStub, &v1::GatewayAdmin::Stub::SetDraining, message);
  if (!response) return std::unexpected(std::move(response.error()));
  return DrainState{response->draining(), response->open()};
}

}  // namespace strife::rpc
