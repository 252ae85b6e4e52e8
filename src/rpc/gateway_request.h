// What requests to the gateway say, in plain types, as convert.h. What is allowed is decided by the gateway.
#pragma once

#include "rpc/gateway_api.h"
#include "strife/v1/gateway.pb.h"

namespace strife::rpc {

PaymentRequest FromProto(const v1::ProcessPaymentRequest& request);
// An error for a state or time that there is not.
ApiResult<HistoryRequest> FromProto(const v1::ViewTransactionHistoryRequest& request);
RegistrationRequest FromProto(const v1::RegisterBankRequest& request);

}  // namespace strife::rpc
