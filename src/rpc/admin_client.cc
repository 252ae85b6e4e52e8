#include "rpc/admin_client.h"

#include <utility>

#include "base/text.h"
#include "rpc/admin_convert.h"
#include "rpc/ask_once.h"
#include "rpc/trace_convert.h"
#include "strife/v1/admin.pb.h"

namespace strife::rpc {
namespace {

std::string Who(const AdminTarget& target) {
  return target.expected.name.empty() ? std::string(security::RoleName(target.expected.role)) : target.expected.name;
}

ErrorCode CodeOf(int code, bool changes) {
  switch (code) {
    case AsInt(http2::Code::kPermissionDenied):
    case AsInt(http2::Code::kUnauthenticated):
      return ErrorCode::kPermissionDenied;
    case AsInt(http2::Code::kInvalidArgument):
    case AsInt(http2::Code::kFailedPrecondition):
    case AsInt(http2::Code::kNotFound):
      return ErrorCode::kInvalidInput;
    case AsInt(http2::Code::kResourceExhausted):
      return ErrorCode::kResourceExhausted;
    default:
      return changes ? ErrorCode::kUnknownOutcome : ErrorCode::kUnavailable;
  }
}

// A call is only made on a connection that stands, so that "cannot connect" is sure to mean that nothing was done.
template <typename Response>
Result<Response> Ask(const AdminTarget& target, bool changes, const char* path,
                     const google::protobuf::MessageLite& request) {
  const MonotonicTime deadline = DeadlineIn(target.timeout);
  const auto credentials = std::make_shared<const security::Credentials>(*target.credentials);
  const auto answered = AskOnce<Response>({target.endpoint, credentials, target.expected}, path, request, deadline);
  if (!answered) {
    return Fail(ErrorCode::kUnavailable, "cannot connect to " + Who(target) + " at " + target.endpoint +
                                             "; check that it runs and that the certificates are right");
  }
  const auto& [status, response] = *answered;
  if (!Is(status, http2::Code::kOk)) {
    return Fail(CodeOf(status.code, changes), Who(target) + ": " + Sanitize(status.message, 512));
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
      Ask<v1::ListInDoubtPaymentsResponse>(gateway, false, "/strife.v1.GatewayAdmin/ListInDoubtPayments", request);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(gateway, *response);
}

Result<PaymentTrace> TracePayment(const AdminTarget& gateway, const Uuid& id) {
  v1::TracePaymentRequest request;
  request.set_transaction_id(id.ToString());
  auto response = Ask<v1::TracePaymentResponse>(gateway, false, "/strife.v1.GatewayAdmin/TracePayment", request);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(gateway, response->trace());
}

Result<protocol::InDoubtAnswer> ListInDoubtTransactions(const AdminTarget& bank, int limit) {
  v1::ListInDoubtTransactionsRequest request;
  request.set_limit(limit);
  auto response =
      Ask<v1::ListInDoubtTransactionsResponse>(bank, false, "/strife.v1.BankAdmin/ListInDoubtTransactions", request);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(bank, *response);
}

Result<protocol::HeuristicRecord> ForceTransaction(const AdminTarget& bank, const Uuid& id,
                                                   protocol::Decision decision) {
  v1::ForceTransactionRequest request;
  request.set_transaction_id(id.ToString());
  request.set_decision(decision == protocol::Decision::kCommit ? v1::DECISION_COMMIT : v1::DECISION_ABORT);
  auto response = Ask<v1::ForceTransactionResponse>(bank, true, "/strife.v1.BankAdmin/ForceTransaction", request);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(bank, response->heuristic());
}

Result<protocol::HeuristicRecord> AcknowledgeTransaction(const AdminTarget& bank, const Uuid& id) {
  v1::AcknowledgeTransactionRequest request;
  request.set_transaction_id(id.ToString());
  auto response =
      Ask<v1::AcknowledgeTransactionResponse>(bank, true, "/strife.v1.BankAdmin/AcknowledgeTransaction", request);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(bank, response->heuristic());
}

Result<BanksOverview> ListBanks(const AdminTarget& gateway) {
  auto response =
      Ask<v1::ListBanksResponse>(gateway, false, "/strife.v1.GatewayAdmin/ListBanks", v1::ListBanksRequest());
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(gateway, *response);
}

Result<TransactionsPage> ListTransactions(const AdminTarget& gateway, const TransactionsRequest& request) {
  v1::ListTransactionsRequest message;
  ToProto(request, message);
  auto response =
      Ask<v1::ListTransactionsResponse>(gateway, false, "/strife.v1.GatewayAdmin/ListTransactions", message);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(gateway, *response);
}

Result<SessionsPage> ListSessions(const AdminTarget& gateway, const std::string& username, int page_size,
                                  const std::string& page_token) {
  v1::ListSessionsRequest message;
  message.set_username(username);
  message.set_page_size(page_size);
  message.set_page_token(page_token);
  auto response = Ask<v1::ListSessionsResponse>(gateway, false, "/strife.v1.GatewayAdmin/ListSessions", message);
  if (!response) return std::unexpected(std::move(response.error()));
  return Read(gateway, *response);
}

Result<std::size_t> EndSessions(const AdminTarget& gateway, const std::string& session_id,
                                const std::string& username) {
  v1::EndSessionsRequest message;
  message.set_session_id(session_id);
  message.set_username(username);
  auto response = Ask<v1::EndSessionsResponse>(gateway, true, "/strife.v1.GatewayAdmin/EndSessions", message);
  if (!response) return std::unexpected(std::move(response.error()));
  return response->ended();
}

Result<SuspensionRecord> SetSuspension(const AdminTarget& gateway, const SuspensionRecord& record) {
  v1::SetSuspensionRequest message;
  ToProto(record, *message.mutable_suspension());
  message.mutable_suspension()->clear_at();
  message.set_suspended(record.suspended);
  auto response = Ask<v1::SetSuspensionResponse>(gateway, true, "/strife.v1.GatewayAdmin/SetSuspension", message);
  if (!response) return std::unexpected(std::move(response.error()));
  auto done = Read(gateway, response->suspension());
  if (done) done->suspended = record.suspended;
  return done;
}

Result<DrainState> SetDraining(const AdminTarget& gateway, bool draining) {
  v1::SetDrainingRequest message;
  message.set_draining(draining);
  auto response = Ask<v1::SetDrainingResponse>(gateway, true, "/strife.v1.GatewayAdmin/SetDraining", message);
  if (!response) return std::unexpected(std::move(response.error()));
  return DrainState{response->draining(), response->open()};
}

}  // namespace strife::rpc
