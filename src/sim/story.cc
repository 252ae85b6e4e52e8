#include "sim/story.h"

namespace strife::sim {

using protocol::CommandKind;
using protocol::CommandOutcome;
using protocol::Decision;
using protocol::SubmitOutcome;

namespace {

std::string Because(const std::string& reason_code) { return reason_code.empty() ? "" : ", " + reason_code; }

std::string Name(const protocol::AccountRef& account) { return account.bank_id + "/" + account.account_id; }

std::string Name(CommandKind kind) {
  switch (kind) {
    case CommandKind::kPrepare:
      return "prepare";
    case CommandKind::kCommit:
      return "commit";
    case CommandKind::kAbort:
      return "abort";
  }
  return "an unknown command";
}

}  // namespace

std::string Describe(const protocol::PaymentOrder& order) {
  return order.payer + " pays " + FormatAmount(order.amount) + " " + std::string(order.amount.currency.code()) +
         " from " + Name(order.from) + " to " + Name(order.to);
}

std::string Describe(const protocol::PaymentRecord& payment) {
  return std::string(StateName(payment.state)) + Because(payment.reason_code) + " (epoch " +
         std::to_string(payment.epoch) + ")";
}

std::string Describe(const protocol::BankTransactionRecord& transaction) {
  return std::string(StateName(transaction.state)) + Because(transaction.reason_code) + " (epoch " +
         std::to_string(transaction.epoch) + ")";
}

std::string Describe(const protocol::BankCommand& command) {
  return Name(command.kind) + " (epoch " + std::to_string(command.epoch) + ")";
}

std::string Describe(const protocol::BankReply& reply) {
  std::string text = Name(reply.kind) + ": ";
  switch (reply.outcome) {
    case CommandOutcome::kYes:
      return text + "yes";
    case CommandOutcome::kNo:
      return text + "no" + Because(reply.reason_code);
    case CommandOutcome::kDone:
      return text + "done";
    case CommandOutcome::kStale:
      return text + "refused, a newer gateway has spoken";
    case CommandOutcome::kViolation:
      return text + "protocol violation, " + reply.message;
    case CommandOutcome::kOverloaded:
      return text + "overloaded";
    case CommandOutcome::kMixed:
      return text + "operators had decided otherwise";
    case CommandOutcome::kMixedAcknowledged:
      return text + "operators had decided otherwise and have settled it";
  }
  return text + "?";
}

std::string Describe(const protocol::SubmitAnswer& answer) {
  switch (answer.outcome) {
    case SubmitOutcome::kEnded:
      return std::string(StateName(answer.payment.state)) + Because(answer.payment.reason_code);
    case SubmitOutcome::kDuplicate:
      return "seen before, " + std::string(StateName(answer.payment.state)) + Because(answer.payment.reason_code);
    case SubmitOutcome::kReused:
      return "the id belongs to another payment";
    case SubmitOutcome::kUnknownPayerBank:
      return "unknown payer bank";
    case SubmitOutcome::kUnknownPayeeBank:
      return "unknown payee bank";
    case SubmitOutcome::kCurrencyNotKept:
      return "a bank does not keep the currency";
    case SubmitOutcome::kOverloaded:
      return "overloaded";
    case SubmitOutcome::kStorageFull:
      return "no disk space left for new payments";
    case SubmitOutcome::kDraining:
      return "takes no new payments for now";
    case SubmitOutcome::kNeedsReconciliation:
      return "needs reconciliation";
  }
  return "?";
}

std::string Describe(std::optional<Decision> decision) {
  if (!decision) return "no decision to be had";
  switch (*decision) {
    case Decision::kCommit:
      return "the decision is commit";
    case Decision::kAbort:
      return "the decision is abort";
    case Decision::kPending:
      break;
  }
  return "not decided yet";
}

std::string Describe(SendResult result) {
  switch (result) {
    case SendResult::kLost:
      return " (lost)";
    case SendResult::kCutOff:
      return " (cut off)";
    case SendResult::kOnItsWay:
      break;
  }
  return "";
}

}  // namespace strife::sim
