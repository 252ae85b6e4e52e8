// What the gateway's answers mean to its client: protobuf messages and gRPC statuses as plain values.
#pragma once

#include <string>

#include "http2/client_call.h"
#include "rpc/gateway_client.h"
#include "strife/v1/gateway.pb.h"

namespace strife::rpc {

// Which failures leave a question: a call that may have moved money, or one that can simply be made again.
enum class Effect { kNone, kPayment };

CallResult<protocol::PaymentRecord> FromReply(const v1::Payment& payment);
CallResult<SessionGrant> FromReply(const v1::AuthenticateClientResponse& response);
CallResult<SessionGrant> FromReply(const v1::RefreshSessionResponse& response);
CallResult<Balance> FromReply(const v1::CheckBalanceResponse& response);
CallResult<PaymentTrace> FromReply(const v1::TracePaymentResponse& response);
CallResult<HistoryPage> FromReply(const v1::ViewTransactionHistoryResponse& response);
CallResult<protocol::PaymentRecord> FromReply(const v1::ProcessPaymentsResponse::Result& result);

// The answer holds `what`, which this client cannot make sense of.
CallError UnreadableAnswer(const std::string& what);

// REQUIRES: a status that is not OK. `endpoint` is named in the message.
CallError FromStatus(const http2::CallStatus& status, Effect effect, const std::string& endpoint);

void FillRequest(const protocol::PaymentOrder& order, v1::ProcessPaymentRequest* request);
void FillRequest(const HistoryRequest& page, v1::ViewTransactionHistoryRequest* request);

}  // namespace strife::rpc
