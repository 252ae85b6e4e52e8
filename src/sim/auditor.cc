#include "sim/auditor.h"

#include <algorithm>

namespace strife::sim {

using protocol::PaymentOrder;
using protocol::PaymentState;
using protocol::SubmitAnswer;
using protocol::SubmitOutcome;

void Auditor::Asked(const PlannedPayment& planned) {
  Payment& payment = payments_[planned.order.id];
  payment.must_abort = payment.must_abort && planned.must_abort;
  if (std::ranges::find(payment.asked, planned.order) == payment.asked.end()) payment.asked.push_back(planned.order);
}

void Auditor::Wrong(const Uuid& id, const std::string& what) {
  checkers_.Report(invariant::kToldTheTruth, id, {}, "transaction " + id.ToString() + " " + what);
}

void Auditor::Told(const PaymentOrder& asked, const SubmitAnswer& answer) {
  ++counts_.answers;
  Payment& payment = payments_.at(asked.id);
  switch (answer.outcome) {
    case SubmitOutcome::kEnded:
    case SubmitOutcome::kDuplicate:
      return ToldState(payment, asked, answer);
    case SubmitOutcome::kReused:
      return ToldReused(payment, asked, answer);
    case SubmitOutcome::kUnknownPayerBank:
    case SubmitOutcome::kUnknownPayeeBank:
    case SubmitOutcome::kCurrencyNotKept:
    case SubmitOutcome::kOverloaded:
    case SubmitOutcome::kStorageFull:
    case SubmitOutcome::kDraining:
    case SubmitOutcome::kNeedsReconciliation:
      ++counts_.refused;
      return;
  }
}

void Auditor::ToldState(Payment& payment, const PaymentOrder& asked, const SubmitAnswer& answer) {
  const PaymentState state = answer.payment.state;
  if (answer.payment.order != asked) return Wrong(asked.id, "was answered with another payment than was asked for");
  if (payment.owner && *payment.owner != asked) return Wrong(asked.id, "is two different payments to two clients");
  payment.owner = asked;
  if (IsDecidedCommit(state)) payment.told_decided = true;
  if (state == PaymentState::kAborted && payment.told_decided) {
    Wrong(asked.id, "was told to be ABORTED after it was told to be decided to commit");
  }
  if (!IsFinal(state)) return;
  if (payment.told && *payment.told != state) Wrong(asked.id, "was told to be COMPLETED and to be ABORTED");
  payment.told = state;
  if (state == PaymentState::kCompleted && payment.must_abort) {
    Wrong(asked.id, "was told to be COMPLETED, and no bank could have carried it out");
  }
}

void Auditor::ToldReused(const Payment& payment, const PaymentOrder& asked, const SubmitAnswer& answer) {
  if (answer.payment != protocol::PaymentRecord{}) Wrong(asked.id, "was disclosed to somebody who had no part in it");
  if (payment.asked.size() < 2) return Wrong(asked.id, "was called used already, and nobody else had used the id");
  if (payment.owner && *payment.owner == asked) Wrong(asked.id, "was called used already to the client that owns it");
}

std::map<Uuid, PaymentState> Auditor::Outcomes() const {
  std::map<Uuid, PaymentState> outcomes;
  for (const auto& [id, payment] : payments_) {
    if (payment.told) outcomes.emplace(id, *payment.told);
  }
  return outcomes;
}

void Auditor::Conclude(const Scenario::Cluster& cluster,
                       const std::function<std::int64_t(std::size_t, const std::string&)>& balance) {
  std::map<std::pair<std::string, std::string>, std::int64_t> moved;
  for (const auto& [id, payment] : payments_) {
    if (!payment.told) continue;
    ++counts_.payments;
    if (*payment.told == PaymentState::kAborted) {
      ++counts_.aborted;
      continue;
    }
    ++counts_.completed;
    const PaymentOrder& order = *payment.owner;
    moved[{order.from.bank_id, order.from.account_id}] -= order.amount.minor_units;
    moved[{order.to.bank_id, order.to.account_id}] += order.amount.minor_units;
  }
  for (std::size_t bank = 0; bank < static_cast<std::size_t>(cluster.banks); ++bank) {
    for (std::size_t n = 0; n < static_cast<std::size_t>(cluster.accounts_per_bank); ++n) {
      const std::string account = AccountName(n);
      const std::int64_t expected = opening_ + moved[{BankName(bank), account}];
      const std::int64_t found = balance(bank, account);
      if (found == expected) continue;
      checkers_.Report(invariant::kToldTheTruth, {}, BankName(bank),
                       "account " + account + " at " + BankName(bank) + " has " + std::to_string(found) +
                           " minor units, and by what clients were told it must have " + std::to_string(expected));
    }
  }
}

}  // namespace strife::sim
