// Between protobuf messages and Strife's own types. Reading checks form only (a UUID is a UUID, a currency is known);
// what is allowed is decided elsewhere.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <optional>

#include "protocol/types.h"
#include "rpc/api.h"
#include "strife/v1/bank.pb.h"
#include "strife/v1/types.pb.h"

namespace strife::rpc {

void ToProto(const Money& money, v1::Money& out);
void ToProto(const protocol::AccountRef& ref, v1::AccountRef& out);
void ToProto(WallTime time, google::protobuf::Timestamp& out);
void ToProto(const protocol::PaymentRecord& payment, v1::Payment& out);

// nullopt for a currency that is not known; the amount is taken as it is.
std::optional<Money> FromProto(const v1::Money& money);
protocol::AccountRef FromProto(const v1::AccountRef& ref);
// nullopt for a time that does not fit.
std::optional<WallTime> FromProto(const google::protobuf::Timestamp& time);
// nullopt when a field does not parse.
std::optional<protocol::PaymentRecord> FromProto(const v1::Payment& payment);

v1::PaymentState ToProto(protocol::PaymentState state);
std::optional<protocol::PaymentState> FromProto(v1::PaymentState state);

// Commands as a bank gets them; nullopt when one cannot be read at all (no kind, no UUID).
void ToProto(const protocol::BankCommand& command, v1::PrepareTransactionRequest& out);
void ToProto(const protocol::BankCommand& command, v1::ExecuteBatchRequest::Command& out);
std::optional<protocol::BankCommand> FromProto(const v1::PrepareTransactionRequest& request);
std::optional<protocol::BankCommand> FromProto(const v1::CommitTransactionRequest& request);
std::optional<protocol::BankCommand> FromProto(const v1::AbortTransactionRequest& request);
std::optional<protocol::BankCommand> FromProto(const v1::ExecuteBatchRequest::Command& command);

void ToProto(const protocol::BankReply& reply, v1::PrepareTransactionResponse& out);
void ToProto(const protocol::BankReply& reply, v1::CommitTransactionResponse& out);
void ToProto(const protocol::BankReply& reply, v1::AbortTransactionResponse& out);
void ToProto(const protocol::BankReply& reply, v1::ExecuteBatchResponse::Result& out);
// `command` is what the reply answers: a bank that answers something else has broken the protocol (nullopt).
std::optional<protocol::BankReply> FromProto(const v1::PrepareTransactionResponse& response,
                                             const protocol::BankCommand& command);
std::optional<protocol::BankReply> FromProto(const v1::CommitTransactionResponse& response,
                                             const protocol::BankCommand& command);
std::optional<protocol::BankReply> FromProto(const v1::AbortTransactionResponse& response,
                                             const protocol::BankCommand& command);
std::optional<protocol::BankReply> FromProto(const v1::ExecuteBatchResponse::Result& result,
                                             const protocol::BankCommand& command);

}  // namespace strife::rpc
