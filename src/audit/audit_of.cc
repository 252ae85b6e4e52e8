#include "audit/audit_of.h"

#include <utility>

#include "base/money.h"

namespace strife::audit {
namespace {

using protocol::AuditEvent;
using protocol::AuditRecord;
using protocol::BankTransactionKind;
using protocol::BankTransactionState;
using protocol::PaymentState;

void AddAmount(std::string& text, const Money& amount) {
  text += " amount=";
  text += FormatAmount(amount);
  text += ' ';
  text += amount.currency.code();
}

void AddReason(std::string& text, const std::string& reason_code) {
  if (reason_code.empty()) return;
  if (!text.empty()) text += ' ';
  text += "reason=";
  text += reason_code;
}

}  // namespace

std::optional<AuditRecord> AuditOf(const protocol::PaymentRecord& payment) {
  AuditRecord record;
  switch (payment.state) {
    case PaymentState::kInitiated:
    case PaymentState::kCompleted:
      return std::nullopt;
    case PaymentState::kCommitting:
      record.event = AuditEvent::kPaymentCommitted;
      break;
    case PaymentState::kPartialCommit:
      record.event = AuditEvent::kPaymentLate;
      break;
    case PaymentState::kAborted:
      record.event = AuditEvent::kPaymentAborted;
      break;
  }
  const protocol::PaymentOrder& order = payment.order;
  record.at = payment.updated_at;
  record.subject = order.id.ToString();
  if (!order.payer.empty()) {
    record.actor = "user/" + order.payer;
    std::string& text = record.detail;
    text.reserve(160);
    text += "from=";
    text += order.from.bank_id;
    text += '/';
    text += order.from.account_id;
    text += " to=";
    text += order.to.bank_id;
    text += '/';
    text += order.to.account_id;
    AddAmount(text, order.amount);
  } else {  // the tombstone an inquiry has left
    record.actor = "bank/" + order.from.bank_id;
    record.detail = "inquiry about a payment that is not on record";
  }
  AddReason(record.detail, payment.reason_code);
  return record;
}

std::optional<AuditRecord> AuditOf(const protocol::BankTransactionRecord& transaction) {
  if (transaction.state == BankTransactionState::kPrepared) return std::nullopt;
  AuditRecord record;
  record.event = transaction.state == BankTransactionState::kCommitted ? AuditEvent::kTransactionCommitted
                                                                       : AuditEvent::kTransactionAborted;
  record.at = transaction.updated_at;
  record.subject = transaction.id.ToString();
  std::string& text = record.detail;
  text.reserve(160);
  switch (transaction.kind) {
    case BankTransactionKind::kPayment:
      record.actor = "gateway";
      text = "payment";
      break;
    case BankTransactionKind::kDirect:
      text = "direct";
      break;
    case BankTransactionKind::kOpening:
      text = "opening";
      break;
  }
  if (!transaction.debit_account.empty()) text.append(" debit=").append(transaction.debit_account);
  if (!transaction.credit_account.empty()) text.append(" credit=").append(transaction.credit_account);
  if (transaction.amount.minor_units != 0) AddAmount(text, transaction.amount);
  AddReason(text, transaction.reason_code);
  return record;
}

std::optional<AuditRecord> AuditOf(const protocol::HeuristicRecord& heuristic) {
  using protocol::HeuristicState;
  AuditRecord record;
  record.subject = heuristic.transaction_id.ToString();
  record.detail = heuristic.decision == protocol::Decision::kCommit ? "decision=commit" : "decision=abort";
  switch (heuristic.state) {
    case HeuristicState::kProposed:
      record.event = AuditEvent::kForceProposed;
      record.at = heuristic.proposed_at;
      record.actor = "operator/" + heuristic.proposed_by;
      break;
    case HeuristicState::kForced:
      record.event = AuditEvent::kForced;
      record.at = heuristic.forced_at;
      record.actor = "operator/" + heuristic.confirmed_by;
      record.detail += " proposed_by=" + heuristic.proposed_by;
      break;
    case HeuristicState::kAgreed:
    case HeuristicState::kMixed:
      record.event = heuristic.state == HeuristicState::kAgreed ? AuditEvent::kForceAgreed : AuditEvent::kForceMixed;
      record.at = heuristic.decided_at;
      record.actor = "gateway";
      record.detail += " forced_by=" + heuristic.proposed_by + "," + heuristic.confirmed_by;
      break;
    case HeuristicState::kAcknowledged:
      record.event = AuditEvent::kMixedAcknowledged;
      record.at = heuristic.acknowledged_at;
      record.actor = "operator/" + heuristic.acknowledged_by;
      break;
  }
  return record;
}

std::optional<AuditRecord> AuditOf(const SuspensionRecord& suspension) {
  const bool bank = suspension.kind == SuspendedKind::kBank;
  AuditRecord record;
  record.event = suspension.suspended ? (bank ? AuditEvent::kBankSuspended : AuditEvent::kUserSuspended)
                                      : (bank ? AuditEvent::kBankResumed : AuditEvent::kUserResumed);
  record.at = suspension.at;
  record.actor = "operator/" + suspension.by;
  record.subject = (bank ? "bank/" : "user/") + suspension.name;
  if (!suspension.reason.empty()) record.detail = "reason=" + suspension.reason;
  return record;
}

}  // namespace strife::audit
