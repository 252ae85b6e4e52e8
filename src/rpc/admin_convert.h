// Between the messages of admin.proto and Strife's own types, as rpc/convert.h.
#pragma once

#include <optional>

#include "protocol/coordinator_messages.h"
#include "protocol/heuristic.h"
#include "rpc/admin_api.h"
#include "strife/v1/admin.pb.h"

namespace strife::rpc {

void ToProto(const protocol::HeuristicRecord& record, v1::Heuristic& out);
void ToProto(const protocol::ListOpenAnswer& answer, v1::ListInDoubtPaymentsResponse& out);
void ToProto(const protocol::InDoubtAnswer& answer, v1::ListInDoubtTransactionsResponse& out);

// nullopt when a field does not parse.
std::optional<protocol::HeuristicRecord> FromProto(const v1::Heuristic& heuristic);
std::optional<protocol::ListOpenAnswer> FromProto(const v1::ListInDoubtPaymentsResponse& response);
std::optional<protocol::InDoubtAnswer> FromProto(const v1::ListInDoubtTransactionsResponse& response);

// What operators list at the gateway, and what they do to it.
void ToProto(const SuspensionRecord& record, v1::Suspension& out);
void ToProto(const BanksOverview& overview, v1::ListBanksResponse& out);
void ToProto(const TransactionsRequest& request, v1::ListTransactionsRequest& out);
void ToProto(const TransactionsPage& page, v1::ListTransactionsResponse& out);
void ToProto(const SessionsPage& page, v1::ListSessionsResponse& out);

std::optional<SuspensionRecord> FromProto(const v1::Suspension& suspension);
std::optional<BanksOverview> FromProto(const v1::ListBanksResponse& response);
std::optional<TransactionsRequest> FromProto(const v1::ListTransactionsRequest& request);
std::optional<TransactionsPage> FromProto(const v1::ListTransactionsResponse& response);
std::optional<SessionsPage> FromProto(const v1::ListSessionsResponse& response);

}  // namespace strife::rpc
