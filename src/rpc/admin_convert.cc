#include "rpc/admin_convert.h"

#include <utility>

#include "rpc/convert.h"

namespace strife::rpc {
namespace {

using protocol::BankTransactionState;
using protocol::HeuristicRecord;
using protocol::HeuristicState;

// The values of the enumerations in admin.proto and bank.proto are those of the records, which are never renumbered.
static_assert(static_cast<int>(HeuristicState::kProposed) == v1::HEURISTIC_STATE_PROPOSED);
static_assert(static_cast<int>(HeuristicState::kAcknowledged) == v1::HEURISTIC_STATE_ACKNOWLEDGED);
static_assert(static_cast<int>(BankTransactionState::kPrepared) == v1::BANK_TRANSACTION_STATE_PREPARED);
static_assert(static_cast<int>(BankTransactionState::kAborted) == v1::BANK_TRANSACTION_STATE_ABORTED);
static_assert(static_cast<int>(protocol::Decision::kCommit) == v1::DECISION_COMMIT);
static_assert(static_cast<int>(protocol::Decision::kAbort) == v1::DECISION_ABORT);

// A time that has not come is absent.
std::optional<WallTime> TimeOr(bool present, const google::protobuf::Timestamp& time) {
  return present ? FromProto(time) : WallTime();
}

std::optional<protocol::InDoubtTransaction> FromProto(const v1::InDoubtTransaction& in) {
  const auto id = Uuid::Parse(in.transaction_id());
  const auto amount = rpc::FromProto(in.amount());
  const auto prepared_at = rpc::FromProto(in.prepared_at());
  if (!id || !amount || !prepared_at || in.state() < v1::BANK_TRANSACTION_STATE_PREPARED ||
      in.state() > v1::BANK_TRANSACTION_STATE_ABORTED) {
    return std::nullopt;
  }
  protocol::InDoubtTransaction out;
  out.transaction.id = *id;
  out.transaction.state = static_cast<BankTransactionState>(in.state());
  out.transaction.debit_account = in.debit_account_id();
  out.transaction.credit_account = in.credit_account_id();
  out.transaction.amount = *amount;
  out.transaction.created_at = *prepared_at;
  out.inquiries = in.inquiries();
  if (in.has_heuristic()) {
    out.heuristic = rpc::FromProto(in.heuristic());
    if (!out.heuristic) return std::nullopt;
  }
  return out;
}

}  // namespace

void ToProto(const HeuristicRecord& record, v1::Heuristic& out) {
  out.set_transaction_id(record.transaction_id.ToString());
  out.set_state(static_cast<v1::HeuristicState>(record.state));
  out.set_decision(static_cast<v1::Decision>(record.decision));
  out.set_proposed_by(record.proposed_by);
  ToProto(record.proposed_at, *out.mutable_proposed_at());
  out.set_confirmed_by(record.confirmed_by);
  if (record.forced_at != WallTime()) ToProto(record.forced_at, *out.mutable_forced_at());
  if (record.decided_at != WallTime()) ToProto(record.decided_at, *out.mutable_decided_at());
  out.set_acknowledged_by(record.acknowledged_by);
  if (record.acknowledged_at != WallTime()) ToProto(record.acknowledged_at, *out.mutable_acknowledged_at());
}

void ToProto(const protocol::ListOpenAnswer& answer, v1::ListInDoubtPaymentsResponse& out) {
  out.set_total(answer.total);
  for (const auto& payment : answer.payments) {
    v1::InDoubtPayment& one = *out.add_payments();
    ToProto(payment.record, *one.mutable_payment());
    for (const auto& bank : payment.banks) {
      v1::InDoubtPayment::Bank& leg = *one.add_banks();
      leg.set_bank_id(bank.bank_id);
      leg.set_answered(bank.answered);
      leg.set_unreachable(bank.unreachable);
      leg.set_attempts(bank.attempts);
    }
  }
}

void ToProto(const protocol::InDoubtAnswer& answer, v1::ListInDoubtTransactionsResponse& out) {
  out.set_total(answer.total);
  for (const auto& in_doubt : answer.transactions) {
    v1::InDoubtTransaction& one = *out.add_transactions();
    one.set_transaction_id(in_doubt.transaction.id.ToString());
    one.set_state(static_cast<v1::BankTransactionState>(in_doubt.transaction.state));
    one.set_debit_account_id(in_doubt.transaction.debit_account);
    one.set_credit_account_id(in_doubt.transaction.credit_account);
    ToProto(in_doubt.transaction.amount, *one.mutable_amount());
    ToProto(in_doubt.transaction.created_at, *one.mutable_prepared_at());
    one.set_inquiries(in_doubt.inquiries);
    if (in_doubt.heuristic) ToProto(*in_doubt.heuristic, *one.mutable_heuristic());
  }
  for (const HeuristicRecord& record : answer.mixed) ToProto(record, *out.add_mixed());
}

std::optional<HeuristicRecord> FromProto(const v1::Heuristic& in) {
  const auto id = Uuid::Parse(in.transaction_id());
  const auto proposed_at = FromProto(in.proposed_at());
  const auto forced_at = TimeOr(in.has_forced_at(), in.forced_at());
  const auto decided_at = TimeOr(in.has_decided_at(), in.decided_at());
  const auto acknowledged_at = TimeOr(in.has_acknowledged_at(), in.acknowledged_at());
  if (!id || !proposed_at || !forced_at || !decided_at || !acknowledged_at ||
      in.state() < v1::HEURISTIC_STATE_PROPOSED || in.state() > v1::HEURISTIC_STATE_ACKNOWLEDGED ||
      (in.decision() != v1::DECISION_COMMIT && in.decision() != v1::DECISION_ABORT)) {
    return std::nullopt;
  }
  return HeuristicRecord{.transaction_id = *id,
                         .state = static_cast<HeuristicState>(in.state()),
                         .decision = static_cast<protocol::Decision>(in.decision()),
                         .proposed_by = in.proposed_by(),
                         .proposed_at = *proposed_at,
                         .confirmed_by = in.confirmed_by(),
                         .forced_at = *forced_at,
                         .decided_at = *decided_at,
                         .acknowledged_by = in.acknowledged_by(),
                         .acknowledged_at = *acknowledged_at};
}

std::optional<protocol::ListOpenAnswer> FromProto(const v1::ListInDoubtPaymentsResponse& in) {
  protocol::ListOpenAnswer answer;
  answer.total = in.total();
  for (const v1::InDoubtPayment& one : in.payments()) {
    auto record = FromProto(one.payment());
    if (!record) return std::nullopt;
    protocol::ListOpenAnswer::Payment& payment = answer.payments.emplace_back(*std::move(record));
    for (const auto& bank : one.banks()) {
      payment.banks.push_back({bank.bank_id(), bank.answered(), bank.unreachable(), bank.attempts()});
    }
  }
  return answer;
}

std::optional<protocol::InDoubtAnswer> FromProto(const v1::ListInDoubtTransactionsResponse& in) {
  protocol::InDoubtAnswer answer;
  answer.total = in.total();
  for (const v1::InDoubtTransaction& one : in.transactions()) {
    auto transaction = FromProto(one);
    if (!transaction) return std::nullopt;
    answer.transactions.push_back(*std::move(transaction));
  }
  for (const v1::Heuristic& one : in.mixed()) {
    auto record = FromProto(one);
    if (!record) return std::nullopt;
    answer.mixed.push_back(*std::move(record));
  }
  return answer;
}

}  // namespace strife::rpc
