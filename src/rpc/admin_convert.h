// Between the messages of admin.proto and Strife's own types, as rpc/convert.h.
#pragma once

#include <optional>

#include "protocol/coordinator_messages.h"
#include "protocol/heuristic.h"
#include "strife/v1/admin.pb.h"

namespace strife::rpc {

void ToProto(const protocol::HeuristicRecord& record, v1::Heuristic& out);
void ToProto(const protocol::ListOpenAnswer& answer, v1::ListInDoubtPaymentsResponse& out);
void ToProto(const protocol::InDoubtAnswer& answer, v1::ListInDoubtTransactionsResponse& out);

// nullopt when a field does not parse.
std::optional<protocol::HeuristicRecord> FromProto(const v1::Heuristic& heuristic);
std::optional<protocol::ListOpenAnswer> FromProto(const v1::ListInDoubtPaymentsResponse& response);
std::optional<protocol::InDoubtAnswer> FromProto(const v1::ListInDoubtTransactionsResponse& response);

}  // namespace strife::rpc
