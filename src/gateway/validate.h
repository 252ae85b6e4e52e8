// Checks what comes in from users and banks before anything else looks at it. Pure; every refusal names the field.
#pragma once

#include <string>

#include "protocol/coordinator.h"
#include "rpc/gateway_api.h"

namespace strife::gateway {

// The order in a request, payer included. The id is not used up when this fails.
rpc::ApiResult<protocol::PaymentOrder> ValidatePayment(rpc::PaymentRequest request, const std::string& payer);

rpc::ApiResult<Uuid> ValidateTransactionId(const std::string& text);

// The history query of one payer's request, with its page token read.
rpc::ApiResult<HistoryQuery> ValidateHistory(const rpc::HistoryRequest& request, const std::string& payer);
// What to pass as page token to go on after `last`, or after what is at that place.
std::string PageToken(const protocol::PaymentRecord& last);
std::string PageToken(WallTime time, const Uuid& id);
rpc::ApiResult<HistoryQuery::Position> ParsePageToken(const std::string& token);

// Everything but the identity of the caller, here and below.
rpc::ApiResult<protocol::RegisterInput> ValidateRegistration(rpc::RegistrationRequest request);
rpc::ApiResult<protocol::InquiryInput> ValidateInquiry(const rpc::InquiryRequest& request);

}  // namespace strife::gateway
