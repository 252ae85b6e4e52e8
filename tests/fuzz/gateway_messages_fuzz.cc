// What comes to a gateway over the wire, from protobuf bytes to what its engine is given; and its answers, as a client
// reads them. The first byte says which message.
#include <array>

#include "fuzz.h"
#include "gateway/validate.h"
#include "records.h"
#include "rpc/gateway_reply.h"
#include "rpc/gateway_request.h"
#include "rpc/status.h"

namespace strife {
namespace {

template <typename Message>
bool Parse(std::string_view bytes, Message& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

void CheckError(const rpc::ApiError& error) {
  fuzz::CheckMessage(error.message);
  STRIFE_ASSERT(error.code == rpc::ApiCode::kInvalidArgument && !error.field.empty());
}

void TryPayment(std::string_view bytes) {
  v1::ProcessPaymentRequest request;
  if (!Parse(bytes, request)) return;
  const auto order = gateway::ValidatePayment(rpc::FromProto(request), "user1");
  if (!order) return CheckError(order.error());
  fuzz::CheckOrder(*order);
  v1::ProcessPaymentRequest copy;
  rpc::FillRequest(*order, &copy);
  STRIFE_ASSERT(gateway::ValidatePayment(rpc::FromProto(copy), "user1") == *order);
}

void TryHistory(std::string_view bytes) {
  v1::ViewTransactionHistoryRequest request;
  if (!Parse(bytes, request)) return;
  const auto history = rpc::FromProto(request);
  if (!history) return CheckError(history.error());
  const auto query = gateway::ValidateHistory(*history, "user1");
  if (!query) return CheckError(query.error());
  STRIFE_ASSERT(query->payer == "user1" && query->limit >= 1 && query->limit <= limits::kMaxHistoryPageRows);
  STRIFE_ASSERT(query->after.has_value() == !history->page_token.empty());
  if (!query->after) return;
  protocol::PaymentRecord last;
  last.order.id = query->after->id;
  last.created_at = query->after->created_at;
  const auto again = gateway::ValidateHistory({.page_size = 0,
                                               .page_token = gateway::PageToken(last),
                                               .state = std::nullopt,
                                               .since = std::nullopt,
                                               .until = std::nullopt},
                                              "user1");
  STRIFE_ASSERT(again.has_value() && again->after->id == query->after->id);
  STRIFE_ASSERT(again->after->created_at == query->after->created_at);
}

void TryRegistration(std::string_view bytes) {
  v1::RegisterBankRequest request;
  if (!Parse(bytes, request)) return;
  const auto input = gateway::ValidateRegistration(rpc::FromProto(request));
  if (!input) return CheckError(input.error());
  fuzz::CheckBank(input->bank);
}

template <typename Response>
void TryReply(std::string_view bytes) {
  Response response;
  if (!Parse(bytes, response)) return;
  const auto read = rpc::FromReply(response);
  if (!read) fuzz::CheckMessage(read.error().error.message);
}

// The trailer of a failed call, and the client's reading of it.
void TryStatus(std::string_view bytes) {
  fuzz::Input in(bytes);
  http2::CallStatus status{.code = 1 + static_cast<int>(in.Index(16))};
  status.message = in.Text();
  status.details = in.Rest();
  const rpc::CallError error = rpc::FromStatus(status, rpc::Effect::kPayment, "127.0.0.1:50052");
  fuzz::CheckMessage(error.error.message);
  STRIFE_ASSERT(IsPrintableUtf8(error.reason_code) && IsPrintableUtf8(error.field));
}

FUZZ_TARGET(gateway_messages) {
  fuzz::Input in(input);
  constexpr std::array kTries = {TryPayment,
                                 TryHistory,
                                 TryRegistration,
                                 TryStatus,
                                 TryReply<v1::Payment>,
                                 TryReply<v1::AuthenticateClientResponse>,
                                 TryReply<v1::CheckBalanceResponse>,
                                 TryReply<v1::ViewTransactionHistoryResponse>,
                                 TryReply<v1::ProcessPaymentsResponse::Result>};
  kTries.at(in.Index(kTries.size()))(in.Rest());
}

}  // namespace
}  // namespace strife
