#include "sim/checkers.h"

#include <algorithm>
#include <utility>

namespace strife::sim {

using invariant::BankView;
using invariant::ReadOrder;
using protocol::BankTransactionRecord;
using protocol::BankTransactionState;
using protocol::CommandKind;
using protocol::CommandOutcome;
using protocol::PaymentRecord;
using protocol::PaymentState;

namespace {

constexpr std::size_t kMostViolations = 20;

bool InState(const std::optional<BankTransactionRecord>& transaction, BankTransactionState state) {
  return transaction && transaction->state == state;
}

}  // namespace

Checkers::Checkers(World& world, std::vector<std::string> bank_ids)
    : world_(world), bank_ids_(std::move(bank_ids)), books_(bank_ids_.size()) {}

void Checkers::Report(std::string_view invariant, const Uuid& id, std::string bank_id, std::string sentence) {
  if (violations_.size() >= kMostViolations) return;
  violations_.push_back({world_.now(), {invariant, id, std::move(bank_id), {}, std::move(sentence)}});
}

void Checkers::Add(invariant::Violations found) {
  for (invariant::Violation& violation : found) {
    if (violations_.size() < kMostViolations) violations_.push_back({world_.now(), std::move(violation)});
  }
}

Checkers::BankRows& Checkers::RowsAt(std::size_t bank, const Uuid& id) {
  std::vector<BankRows>& banks = rows_[id].banks;
  const auto found = std::ranges::find(banks, bank, &BankRows::bank);
  return found != banks.end() ? *found : banks.emplace_back(BankRows{bank, {}, {}});
}

const Checkers::BankRows* Checkers::FindAt(std::size_t bank, const Uuid& id) const {
  const auto rows = rows_.find(id);
  if (rows == rows_.end()) return nullptr;
  const auto found = std::ranges::find(rows->second.banks, bank, &BankRows::bank);
  return found != rows->second.banks.end() ? &*found : nullptr;
}

// ---- Commits ----

void Checkers::GatewayCommitted(const GatewayRecords& records) {
  invariant::Violations found;
  for (const PaymentRecord& payment : records.payments) {
    std::optional<PaymentRecord>& known = rows_[payment.order.id].payment;
    if (known) invariant::CheckStability(*known, payment, found);
    known = payment;
    CheckPayment(payment.order.id);
  }
  Add(std::move(found));
}

void Checkers::BankCommitted(std::size_t bank, const BankRecords& records) {
  Books& books = books_[bank];
  invariant::Violations found;
  for (const protocol::EntryRecord& entry : records.entries) {
    RowsAt(bank, entry.transaction_id).entries.push_back(entry);
    books.sums[entry.account_id].posted += entry.amount_minor_units;
  }
  for (const BankTransactionRecord& transaction : records.transactions) {
    std::optional<BankTransactionRecord>& known = RowsAt(bank, transaction.id).transaction;
    const bool was_final = known && known->state != BankTransactionState::kPrepared;
    if (was_final && known->state != transaction.state) {
      found.push_back(
          {invariant::kStability,
           transaction.id,
           bank_ids_[bank],
           {},
           "transaction " + transaction.id.ToString() + " has changed its outcome at bank " + bank_ids_[bank]});
    }
    if (InState(known, BankTransactionState::kPrepared)) Count(books, *known, -1);
    known = transaction;
    if (InState(known, BankTransactionState::kPrepared)) Count(books, *known, 1);
  }
  Add(std::move(found));
  for (const BankTransactionRecord& transaction : records.transactions) CheckPayment(transaction.id);
  found.clear();
  CheckBatchBalances(bank, records, found);
  Add(std::move(found));
}

// What a prepared transaction reserves, added or taken away.
void Checkers::Count(Books& books, const BankTransactionRecord& transaction, int sign) {
  for (const protocol::EntryRecord& entry : invariant::ExpectedEntries(transaction)) {
    invariant::AccountSums& sums = books.sums[entry.account_id];
    if (entry.amount_minor_units < 0) {
      sums.held -= sign * entry.amount_minor_units;
    } else {
      sums.incoming += sign * entry.amount_minor_units;
    }
  }
}

void Checkers::CheckBatchBalances(std::size_t bank, const BankRecords& records, invariant::Violations& found) {
  const std::string& bank_id = bank_ids_[bank];
  std::map<Currency, std::pair<invariant::WideAmount, invariant::WideAmount>> moved;
  for (const protocol::EntryRecord& entry : records.entries) {
    auto& [debits, credits] = moved[entry.currency];
    (entry.amount_minor_units < 0 ? debits : credits) += std::abs(entry.amount_minor_units);
  }
  for (const auto& [currency, sums] : moved) {
    invariant::CheckDebitsEqualCredits(bank_id, currency, sums.first, sums.second, found);
  }
  for (const protocol::AccountRecord& account : records.accounts) {
    const invariant::AccountSums& sums = books_[bank].sums[account.account_id];
    invariant::CheckBalance(bank_id, account, sums, found);
    invariant::CheckHolds(bank_id, account, sums, found);
    invariant::CheckNoOverdraft(bank_id, account, found);
  }
}

// All that must hold between the records of one transaction, all of them read at this moment.
void Checkers::CheckPayment(const Uuid& id) {
  const Rows& rows = rows_[id];
  invariant::Violations found;
  std::vector<BankView> views;
  views.reserve(rows.banks.size() + 2);
  for (const BankRows& bank : rows.banks) {
    views.push_back({bank_ids_[bank.bank], bank.transaction ? &*bank.transaction : nullptr, bank.entries});
    invariant::CheckExactlyOnce(views.back(), found);
    invariant::CheckEntriesBalance(views.back(), found);
  }
  invariant::CheckAgreement(id, views, found);
  if (rows.payment && !rows.payment->order.payer.empty()) {
    const protocol::PaymentOrder& order = rows.payment->order;
    for (const std::string& bank_id : bank_ids_) {
      if (!invariant::Touches(order, bank_id)) continue;
      if (std::ranges::find(views, bank_id, &BankView::bank_id) == views.end()) views.push_back({bank_id, nullptr, {}});
    }
    for (const BankView& view : views) {
      if (invariant::Touches(order, view.bank_id)) {
        invariant::CheckValidity(*rows.payment, view, ReadOrder::kBankLater, found);
        invariant::CheckToldTheTruth(*rows.payment, view, ReadOrder::kBankLater, found);
      }
      invariant::CheckTerms(*rows.payment, view, found);
    }
  }
  Add(std::move(found));
}

// ---- Messages ----

void Checkers::GatewaySends(const protocol::AddressedCommand& sent) {
  const Uuid& id = sent.command.id;
  const auto rows = rows_.find(id);
  const PaymentRecord* payment = rows != rows_.end() && rows->second.payment ? &*rows->second.payment : nullptr;
  const bool rests_on_record = payment != nullptr && [&] {
    switch (sent.command.kind) {
      case CommandKind::kPrepare:
        return true;
      case CommandKind::kCommit:
        return IsDecidedCommit(payment->state);
      case CommandKind::kAbort:
        return payment->state == PaymentState::kAborted;
    }
    return false;
  }();
  if (rests_on_record) return;
  Report(kDurableBeforeSend, id, sent.bank_id,
         "the gateway sends a command to bank " + sent.bank_id + " about transaction " + id.ToString() +
             " that its store knows nothing of");
}

void Checkers::GatewayAnswers(const protocol::SubmitAnswer& answer) {
  if (answer.outcome != protocol::SubmitOutcome::kEnded && answer.outcome != protocol::SubmitOutcome::kDuplicate)
    return;
  const Uuid& id = answer.payment.order.id;
  const auto rows = rows_.find(id);
  const PaymentRecord* payment = rows != rows_.end() && rows->second.payment ? &*rows->second.payment : nullptr;
  const bool same = payment != nullptr && (IsFinal(answer.payment.state) ? payment->state == answer.payment.state
                                           : IsDecidedCommit(answer.payment.state) ? IsDecidedCommit(payment->state)
                                                                                   : true);
  if (same) return;
  Report(kDurableBeforeSend, id, {},
         "the gateway tells the client that transaction " + id.ToString() + " is " +
             std::string(StateName(answer.payment.state)) + ", and its store does not say so");
}

void Checkers::GatewayAnswers(const Uuid& id, const protocol::InquiryAnswer& answer) {
  if (answer.outcome != protocol::InquiryOutcome::kDecided || answer.decision == protocol::Decision::kPending) return;
  const auto rows = rows_.find(id);
  const PaymentRecord* payment = rows != rows_.end() && rows->second.payment ? &*rows->second.payment : nullptr;
  const bool commit = answer.decision == protocol::Decision::kCommit;
  if (payment != nullptr && (commit ? IsDecidedCommit(payment->state) : payment->state == PaymentState::kAborted)) {
    return;
  }
  Report(kDurableBeforeSend, id, {},
         "the gateway answers an inquiry about transaction " + id.ToString() + " with " +
             (commit ? "COMMIT" : "ABORT") + ", and its store does not say so");
}

void Checkers::BankAnswers(std::size_t bank, const protocol::BankReply& reply) {
  if (reply.outcome != CommandOutcome::kYes && reply.outcome != CommandOutcome::kDone) return;
  const BankRows* rows = FindAt(bank, reply.id);
  const bool durable = rows != nullptr && rows->transaction && [&] {
    switch (reply.kind) {
      case CommandKind::kPrepare:
        return true;
      case CommandKind::kCommit:
        return rows->transaction->state == BankTransactionState::kCommitted;
      case CommandKind::kAbort:
        return rows->transaction->state == BankTransactionState::kAborted;
    }
    return false;
  }();
  if (durable) return;
  Report(
      kDurableBeforeSend, reply.id, bank_ids_[bank],
      "bank " + bank_ids_[bank] + " answers about transaction " + reply.id.ToString() + " what its store does not say");
}

}  // namespace strife::sim
