// Between the messages of trace.proto and Strife's own types, as rpc/convert.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rpc/payment_trace.h"
#include "strife/v1/bank.pb.h"
#include "strife/v1/trace.pb.h"

namespace strife::rpc {

// `order`: whose legs the steps are; null when they are of a bank itself.
void ToProto(const protocol::TraceStep& step, const protocol::PaymentOrder* order, v1::TraceStep& out);
void ToProto(const PaymentTrace& trace, v1::PaymentTrace& out);

// nullopt for a step that this version does not know, or that makes no sense.
std::optional<protocol::TraceStep> FromProto(const v1::TraceStep& step, const protocol::PaymentOrder* order);
// As the bank tells it, which is not to be believed further than it makes sense: steps that do not are left out.
BankTrace FromProto(const std::string& bank_id, const v1::GetTransactionStatusResponse& response);
// nullopt when the payment cannot be read. Steps that make no sense are left out.
std::optional<PaymentTrace> FromProto(const v1::PaymentTrace& trace);

}  // namespace strife::rpc
