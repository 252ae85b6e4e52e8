#include "rpc/convert.h"

#include <google/protobuf/util/time_util.h>

#include <limits>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"
#include "protocol/reason.h"

namespace strife::rpc {

using protocol::BankCommand;
using protocol::BankReply;
using protocol::CommandKind;
using protocol::CommandOutcome;
using protocol::PaymentState;

void ToProto(const Money& money, v1::Money& out) {
  out.set_minor_units(money.minor_units);
  out.set_currency(std::string(money.currency.code()));
}

void ToProto(const protocol::AccountRef& ref, v1::AccountRef& out) {
  out.set_bank_id(ref.bank_id);
  out.set_account_id(ref.account_id);
}

void ToProto(WallTime time, google::protobuf::Timestamp& out) {
  out = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(time.time_since_epoch().count());
}

void ToProto(const protocol::PaymentRecord& payment, v1::Payment& out) {
  out.set_transaction_id(payment.order.id.ToString());
  ToProto(payment.order.from, *out.mutable_from());
  ToProto(payment.order.to, *out.mutable_to());
  ToProto(payment.order.amount, *out.mutable_amount());
  out.set_memo(payment.order.memo);
  out.set_state(ToProto(payment.state));
  out.set_reason_code(payment.reason_code);
  out.set_message(payment.message.empty() ? std::string(protocol::reason::Describe(payment.reason_code))
                                          : payment.message);
  ToProto(payment.created_at, *out.mutable_created_at());
  ToProto(payment.updated_at, *out.mutable_updated_at());
}

std::optional<Money> FromProto(const v1::Money& money) {
  const auto currency = Currency::Parse(money.currency());
  if (!currency) return std::nullopt;
  return Money{money.minor_units(), *currency};
}

protocol::AccountRef FromProto(const v1::AccountRef& ref) { return {ref.bank_id(), ref.account_id()}; }

std::optional<WallTime> FromProto(const google::protobuf::Timestamp& time) {
  constexpr std::int64_t kLastSecond = 253402300799;  // 9999-12-31
  if (time.seconds() < 0 || time.seconds() > kLastSecond || time.nanos() < 0 || time.nanos() > 999'999'999) {
    return std::nullopt;
  }
  return WallTime(Duration(time.seconds() * 1'000'000 + time.nanos() / 1000));
}

std::optional<protocol::PaymentRecord> FromProto(const v1::Payment& payment) {
  const auto id = Uuid::Parse(payment.transaction_id());
  const auto amount = FromProto(payment.amount());
  const auto state = FromProto(payment.state());
  const auto created_at = FromProto(payment.created_at());
  const auto updated_at = FromProto(payment.updated_at());
  if (!id || !amount || !state || !created_at || !updated_at) return std::nullopt;
  protocol::PaymentRecord record;
  record.order = {*id, "", FromProto(payment.from()), FromProto(payment.to()), *amount, payment.memo()};
  record.state = *state;
  record.reason_code = payment.reason_code();
  record.message = payment.message();
  record.created_at = *created_at;
  record.updated_at = *updated_at;
  return record;
}

v1::PaymentState ToProto(PaymentState state) {
  switch (state) {
    case PaymentState::kInitiated:
      return v1::PAYMENT_STATE_INITIATED;
    case PaymentState::kCommitting:
      return v1::PAYMENT_STATE_COMMITTING;
    case PaymentState::kCompleted:
      return v1::PAYMENT_STATE_COMPLETED;
    case PaymentState::kAborted:
      return v1::PAYMENT_STATE_ABORTED;
    case PaymentState::kPartialCommit:
      return v1::PAYMENT_STATE_PARTIAL_COMMIT_RECOVERY_NEEDED;
  }
  return v1::PAYMENT_STATE_UNSPECIFIED;
}

std::optional<PaymentState> FromProto(v1::PaymentState state) {
  switch (state) {
    case v1::PAYMENT_STATE_INITIATED:
      return PaymentState::kInitiated;
    case v1::PAYMENT_STATE_COMMITTING:
      return PaymentState::kCommitting;
    case v1::PAYMENT_STATE_COMPLETED:
      return PaymentState::kCompleted;
    case v1::PAYMENT_STATE_ABORTED:
      return PaymentState::kAborted;
    case v1::PAYMENT_STATE_PARTIAL_COMMIT_RECOVERY_NEEDED:
      return PaymentState::kPartialCommit;
    default:
      return std::nullopt;
  }
}

namespace {

// The fields every command has.
template <typename Request>
void FillCommon(const BankCommand& command, Request& out) {
  out.set_transaction_id(command.id.ToString());
  out.set_gateway_epoch(command.epoch);
  out.set_gateway_store_id(command.gateway_store_id.ToString());
  out.set_gateway_sequence(command.gateway_sequence);
  if (command.trace) out.set_traceparent(protocol::ToTraceparent(*command.trace));
}

template <typename Request>
std::optional<BankCommand> ReadCommon(const Request& request, CommandKind kind) {
  const auto id = Uuid::Parse(request.transaction_id());
  constexpr std::uint64_t kLargestStored = std::numeric_limits<std::int64_t>::max();
  if (!id || request.gateway_epoch() > kLargestStored || request.gateway_sequence() > kLargestStored) {
    return std::nullopt;
  }
  BankCommand command;
  command.kind = kind;
  command.id = *id;
  command.epoch = request.gateway_epoch();
  command.gateway_store_id = Uuid::Parse(request.gateway_store_id()).value_or(Uuid{});
  command.gateway_sequence = request.gateway_sequence();
  if (!request.traceparent().empty()) command.trace = protocol::ParseTraceparent(request.traceparent());
  return command;
}

}  // namespace

void ToProto(const BankCommand& command, v1::PrepareTransactionRequest& out) {
  FillCommon(command, out);
  ToProto(command.from, *out.mutable_from());
  ToProto(command.to, *out.mutable_to());
  ToProto(command.amount, *out.mutable_amount());
}

void ToProto(const BankCommand& command, v1::ExecuteBatchRequest::Command& out) {
  switch (command.kind) {
    case CommandKind::kPrepare:
      return ToProto(command, *out.mutable_prepare());
    case CommandKind::kCommit:
      return FillCommon(command, *out.mutable_commit());
    case CommandKind::kAbort:
      return FillCommon(command, *out.mutable_abort());
  }
}

std::optional<BankCommand> FromProto(const v1::PrepareTransactionRequest& request) {
  auto command = ReadCommon(request, CommandKind::kPrepare);
  if (!command) return std::nullopt;
  command->from = FromProto(request.from());
  command->to = FromProto(request.to());
  // A currency that is not in this version's table is none, which is for the bank to refuse: that one command, and not
  // the others it came with.
  command->amount = {request.amount().minor_units(), Currency::Parse(request.amount().currency()).value_or(Currency())};
  return command;
}

std::optional<BankCommand> FromProto(const v1::CommitTransactionRequest& request) {
  return ReadCommon(request, CommandKind::kCommit);
}

std::optional<BankCommand> FromProto(const v1::AbortTransactionRequest& request) {
  return ReadCommon(request, CommandKind::kAbort);
}

std::optional<BankCommand> FromProto(const v1::ExecuteBatchRequest::Command& command) {
  if (command.has_prepare()) return FromProto(command.prepare());
  if (command.has_commit()) return FromProto(command.commit());
  if (command.has_abort()) return FromProto(command.abort());
  return std::nullopt;
}

void ToProto(const BankReply& reply, v1::PrepareTransactionResponse& out) {
  STRIFE_ASSERT(reply.kind == CommandKind::kPrepare);
  out.set_transaction_id(reply.id.ToString());
  out.set_vote(reply.outcome == CommandOutcome::kYes ? v1::VOTE_YES : v1::VOTE_NO);
  out.set_reason_code(reply.reason_code);
  out.set_message(reply.message);
}

namespace {

template <typename Response>
void FillAcknowledgement(const BankReply& reply, Response& out) {
  out.set_transaction_id(reply.id.ToString());
  out.set_message(reply.message);
  switch (reply.outcome) {
    case CommandOutcome::kDone:
      return out.set_result(v1::COMMAND_RESULT_DONE);
    case CommandOutcome::kStale:
      return out.set_result(v1::COMMAND_RESULT_STALE_EPOCH);
    case CommandOutcome::kMixed:
      return out.set_result(v1::COMMAND_RESULT_MIXED);
    case CommandOutcome::kMixedAcknowledged:
      return out.set_result(v1::COMMAND_RESULT_MIXED_ACKNOWLEDGED);
    default:
      return out.set_result(v1::COMMAND_RESULT_PROTOCOL_VIOLATION);
  }
}

template <typename Response>
std::optional<BankReply> ReadAcknowledgement(const Response& response, const BankCommand& command) {
  if (Uuid::Parse(response.transaction_id()) != command.id) return std::nullopt;
  BankReply reply{command.kind, command.id, CommandOutcome::kViolation, "",
                  Sanitize(response.message(), limits::kMaxReasonMessageBytes)};
  if (response.result() == v1::COMMAND_RESULT_DONE) reply.outcome = CommandOutcome::kDone;
  if (response.result() == v1::COMMAND_RESULT_STALE_EPOCH) reply.outcome = CommandOutcome::kStale;
  if (response.result() == v1::COMMAND_RESULT_MIXED) reply.outcome = CommandOutcome::kMixed;
  if (response.result() == v1::COMMAND_RESULT_MIXED_ACKNOWLEDGED) reply.outcome = CommandOutcome::kMixedAcknowledged;
  return reply;
}

}  // namespace

void ToProto(const BankReply& reply, v1::CommitTransactionResponse& out) { FillAcknowledgement(reply, out); }
void ToProto(const BankReply& reply, v1::AbortTransactionResponse& out) { FillAcknowledgement(reply, out); }

void ToProto(const BankReply& reply, v1::ExecuteBatchResponse::Result& out) {
  switch (reply.kind) {
    case CommandKind::kPrepare:
      return ToProto(reply, *out.mutable_prepare());
    case CommandKind::kCommit:
      return ToProto(reply, *out.mutable_commit());
    case CommandKind::kAbort:
      return ToProto(reply, *out.mutable_abort());
  }
}

std::optional<BankReply> FromProto(const v1::PrepareTransactionResponse& response, const BankCommand& command) {
  if (Uuid::Parse(response.transaction_id()) != command.id) return std::nullopt;
  BankReply reply{command.kind, command.id, CommandOutcome::kNo,
                  Sanitize(response.reason_code(), limits::kMaxReasonCodeBytes),
                  Sanitize(response.message(), limits::kMaxReasonMessageBytes)};
  if (response.vote() == v1::VOTE_YES) {
    reply.outcome = CommandOutcome::kYes;
  } else if (response.vote() != v1::VOTE_NO || reply.reason_code == protocol::reason::kProtocolViolation) {
    reply.outcome = CommandOutcome::kViolation;
  } else if (reply.reason_code == protocol::reason::kStaleEpoch) {
    reply.outcome = CommandOutcome::kStale;
  }
  return reply;
}

std::optional<BankReply> FromProto(const v1::CommitTransactionResponse& response, const BankCommand& command) {
  return ReadAcknowledgement(response, command);
}
std::optional<BankReply> FromProto(const v1::AbortTransactionResponse& response, const BankCommand& command) {
  return ReadAcknowledgement(response, command);
}

std::optional<BankReply> FromProto(const v1::ExecuteBatchResponse::Result& result, const BankCommand& command) {
  switch (command.kind) {
    case CommandKind::kPrepare:
      return result.has_prepare() ? FromProto(result.prepare(), command) : std::nullopt;
    case CommandKind::kCommit:
      return result.has_commit() ? FromProto(result.commit(), command) : std::nullopt;
    case CommandKind::kAbort:
      return result.has_abort() ? FromProto(result.abort(), command) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace strife::rpc
