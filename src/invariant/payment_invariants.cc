#include "invariant/payment_invariants.h"

#include <algorithm>
#include <map>

#include "invariant/wide_amount.h"
#include "protocol/ledger.h"
#include "protocol/reason.h"

namespace strife::invariant {
namespace {

using protocol::AccountKind;
using protocol::BankTransactionKind;
using protocol::BankTransactionRecord;
using protocol::BankTransactionState;
using protocol::EntryRecord;
using protocol::HeuristicState;
using protocol::PaymentRecord;
using protocol::PaymentState;

std::string_view Name(BankTransactionState state) {
  switch (state) {
    case BankTransactionState::kPrepared:
      return "prepared";
    case BankTransactionState::kCommitted:
      return "committed";
    case BankTransactionState::kAborted:
      return "aborted";
  }
  return "in an unknown state";
}

// The bank's own account on the other side of its legs.
std::string OtherAccount(const BankTransactionRecord& transaction) {
  const AccountKind kind = transaction.kind == BankTransactionKind::kPayment  ? AccountKind::kClearing
                           : transaction.kind == BankTransactionKind::kDirect ? AccountKind::kCash
                                                                              : AccountKind::kOpening;
  return protocol::InternalAccountId(kind, transaction.amount.currency);
}

std::string Describe(const BankView& bank) {
  const BankTransactionRecord* transaction = bank.Payment();
  const std::string who = "bank " + std::string(bank.bank_id);
  return transaction == nullptr ? who + " has no record of it"
                                : who + " has it " + std::string(Name(transaction->state));
}

std::string Describe(const EntryRecord& entry) {
  return "line " + std::to_string(entry.line) + ": " + entry.account_id + " " +
         std::to_string(entry.amount_minor_units) + " " + std::string(entry.currency.code());
}

bool InState(const BankTransactionRecord* transaction, BankTransactionState state) {
  return transaction != nullptr && transaction->state == state;
}

void Add(Violations& out, std::string_view invariant, const Uuid& id, std::string_view bank_id, std::string sentence,
         std::string expected = {}, std::string found = {}) {
  out.push_back({invariant,
                 id,
                 std::string(bank_id),
                 {},
                 "transaction " + id.ToString() + " " + std::move(sentence),
                 std::move(expected),
                 std::move(found)});
}

std::string StateAt(const BankView& bank) {
  return std::string(bank.Payment() == nullptr ? "NONE" : protocol::StateName(bank.Payment()->state));
}

// What ExpectedEntries would give, compared without making it: this runs for every transaction of the history.
bool EntriesAreExact(const BankTransactionRecord& transaction, std::span<const EntryRecord> entries) {
  const std::size_t legs =
      (transaction.debit_account.empty() ? 0u : 1u) + (transaction.credit_account.empty() ? 0u : 1u);
  if (transaction.state != BankTransactionState::kCommitted) return entries.empty();
  if (entries.size() != 2 * legs) return false;
  const std::string other = OtherAccount(transaction);
  std::size_t line = 0;
  const auto is_next = [&](const std::string& account, std::int64_t amount) {
    const EntryRecord& entry = entries[line];
    return entry.line == line++ && entry.amount_minor_units == amount && entry.account_id == account &&
           entry.currency == transaction.amount.currency;
  };
  const std::int64_t amount = transaction.amount.minor_units;
  if (!transaction.debit_account.empty() && !(is_next(transaction.debit_account, -amount) && is_next(other, amount))) {
    return false;
  }
  return transaction.credit_account.empty() || (is_next(other, -amount) && is_next(transaction.credit_account, amount));
}

}  // namespace

bool Touches(const protocol::PaymentOrder& order, std::string_view bank_id) {
  return order.from.bank_id == bank_id || order.to.bank_id == bank_id;
}

bool ForcedOtherwise(const PaymentRecord& payment, const BankView& bank) {
  const BankTransactionRecord* transaction = bank.Payment();
  if (transaction == nullptr || bank.heuristic == nullptr) return false;
  if (!protocol::WasForced(bank.heuristic->state) || bank.heuristic->state == HeuristicState::kAgreed) return false;
  if (payment.state == PaymentState::kInitiated) return transaction->state != BankTransactionState::kPrepared;
  return IsDecidedCommit(payment.state) ? transaction->state == BankTransactionState::kAborted
                                        : transaction->state == BankTransactionState::kCommitted;
}

void CheckHeuristic(const PaymentRecord& payment, const BankView& bank, Violations& out) {
  if (payment.state == PaymentState::kInitiated) return;
  const protocol::HeuristicRecord& heuristic = *bank.heuristic;
  const std::string_view decided = IsDecidedCommit(payment.state) ? "commit" : "abort";
  if (heuristic.state != HeuristicState::kAcknowledged) {
    Add(out, kHeuristic, payment.order.id, bank.bank_id,
        "was decided to " + std::string(decided) + " at the gateway, but operators " + heuristic.proposed_by + " and " +
            heuristic.confirmed_by + " have forced it otherwise: " + Describe(bank) +
            ", and nobody has acknowledged that the difference is settled",
        "ACKNOWLEDGED", std::string(StateName(heuristic.state)));
  } else if (payment.state == PaymentState::kCompleted && payment.reason_code != protocol::reason::kHeuristicMixed) {
    Add(out, kToldTheTruth, payment.order.id, bank.bank_id,
        "is COMPLETED at the gateway without a word about what operators have forced at bank " +
            std::string(bank.bank_id),
        std::string(protocol::reason::kHeuristicMixed), payment.reason_code);
  }
}

void CheckForced(const BankView& bank, Violations& out) {
  if (bank.heuristic == nullptr || !protocol::WasForced(bank.heuristic->state)) return;
  const auto forced = bank.heuristic->decision == protocol::Decision::kCommit ? BankTransactionState::kCommitted
                                                                              : BankTransactionState::kAborted;
  if (InState(bank.Payment(), forced)) return;
  Add(out, kHeuristic, bank.heuristic->transaction_id, bank.bank_id,
      "is on record as forced by operators " + bank.heuristic->proposed_by + " and " + bank.heuristic->confirmed_by +
          ", but " + Describe(bank),
      std::string(protocol::StateName(forced)), StateAt(bank));
}

void CheckAgreement(const Uuid& id, std::span<const BankView> banks, Violations& out) {
  const auto in = [&](BankTransactionState state) {
    return std::ranges::find_if(banks, [&](const BankView& bank) { return InState(bank.Payment(), state); });
  };
  const auto committed = in(BankTransactionState::kCommitted);
  const auto aborted = in(BankTransactionState::kAborted);
  if (committed == banks.end() || aborted == banks.end()) return;
  Add(out, kAgreement, id, aborted->bank_id,
      "is committed at bank " + std::string(committed->bank_id) + " and aborted at bank " +
          std::string(aborted->bank_id));
}

void CheckValidity(const PaymentRecord& payment, const BankView& bank, ReadOrder order, Violations& out) {
  const BankTransactionRecord* transaction = bank.Payment();
  if (payment.state == PaymentState::kInitiated && InState(transaction, BankTransactionState::kCommitted)) {
    Add(out, kValidity, payment.order.id, bank.bank_id, "is undecided at the gateway, but " + Describe(bank),
        "PREPARED", StateAt(bank));
    return;
  }
  if (!IsDecidedCommit(payment.state)) return;
  const bool never_seen = transaction == nullptr && order == ReadOrder::kBankLater;
  if (never_seen || InState(transaction, BankTransactionState::kAborted)) {
    Add(out, kValidity, payment.order.id, bank.bank_id,
        "was decided to commit at the gateway, but " + Describe(bank) + ", so it never voted yes or went back on it",
        "PREPARED or COMMITTED", StateAt(bank));
  }
}

void CheckToldTheTruth(const PaymentRecord& payment, const BankView& bank, ReadOrder order, Violations& out) {
  const bool committed = InState(bank.Payment(), BankTransactionState::kCommitted);
  if (payment.state == PaymentState::kAborted && committed) {
    Add(out, kToldTheTruth, payment.order.id, bank.bank_id, "is ABORTED at the gateway, but " + Describe(bank),
        "ABORTED", StateAt(bank));
  }
  if (payment.state == PaymentState::kCompleted && !committed && order == ReadOrder::kBankLater) {
    Add(out, kToldTheTruth, payment.order.id, bank.bank_id, "is COMPLETED at the gateway, but " + Describe(bank),
        "COMMITTED", StateAt(bank));
  }
}

void CheckTerms(const PaymentRecord& payment, const BankView& bank, Violations& out) {
  const BankTransactionRecord* transaction = bank.Payment();
  // One that was refused or aborted moved nothing, and a tombstone has no terms.
  if (transaction == nullptr || transaction->state == BankTransactionState::kAborted) return;
  const protocol::PaymentOrder& order = payment.order;
  if (order.payer.empty()) return;  // the gateway's tombstone; that it is aborted is checked elsewhere
  static const std::string kNone;
  const std::string& debit = order.from.bank_id == bank.bank_id ? order.from.account_id : kNone;
  const std::string& credit = order.to.bank_id == bank.bank_id ? order.to.account_id : kNone;
  if (transaction->amount == order.amount && transaction->debit_account == debit &&
      transaction->credit_account == credit) {
    return;
  }
  const auto differs = [&](std::string_view what, const std::string& ordered, const std::string& found) {
    if (ordered == found) return;
    Add(out, kTerms, order.id, bank.bank_id,
        "has " + std::string(what) + " '" + found + "' at bank " + std::string(bank.bank_id) + ", where '" + ordered +
            "' was ordered",
        ordered, found);
  };
  differs("paying account", debit, transaction->debit_account);
  differs("receiving account", credit, transaction->credit_account);
  differs("amount", std::to_string(order.amount.minor_units), std::to_string(transaction->amount.minor_units));
  differs("currency", std::string(order.amount.currency.code()), std::string(transaction->amount.currency.code()));
}

void CheckRefusal(const PaymentRecord& payment, std::span<const BankView> banks, Violations& out) {
  if (payment.state != PaymentState::kAborted || !protocol::reason::IsABanks(payment.reason_code)) return;
  const auto refused = [&](const BankView& bank) {
    const BankTransactionRecord* transaction = bank.Payment();
    return InState(transaction, BankTransactionState::kAborted) && transaction->reason_code == payment.reason_code;
  };
  if (std::ranges::any_of(banks, refused)) return;
  Add(out, kToldTheTruth, payment.order.id, {},
      "is ABORTED at the gateway because a bank refused it (" + payment.reason_code +
          "), but none of its banks has recorded that",
      payment.reason_code, "NONE");
}

void CheckStability(const PaymentRecord& before, const PaymentRecord& after, Violations& out) {
  const Uuid& id = before.order.id;
  if (before.order != after.order) Add(out, kStability, id, {}, "was ordered differently when it was read before");
  const bool final_changed = IsFinal(before.state) && before.state != after.state;
  const bool decision_changed = IsDecidedCommit(before.state) && !IsDecidedCommit(after.state);
  if (final_changed || decision_changed) Add(out, kStability, id, {}, "has changed its outcome at the gateway");
}

std::vector<EntryRecord> ExpectedEntries(const BankTransactionRecord& transaction) {
  const Currency currency = transaction.amount.currency;
  const std::string other = OtherAccount(transaction);
  const std::int64_t amount = transaction.amount.minor_units;
  std::vector<EntryRecord> entries;
  const auto transfer = [&](const std::string& from, const std::string& to) {
    const auto line = static_cast<std::uint8_t>(entries.size());
    entries.push_back({transaction.id, line, from, -amount, currency, {}});
    entries.push_back({transaction.id, static_cast<std::uint8_t>(line + 1), to, amount, currency, {}});
  };
  if (!transaction.debit_account.empty()) transfer(transaction.debit_account, other);
  if (!transaction.credit_account.empty()) transfer(other, transaction.credit_account);
  return entries;
}

void CheckExactlyOnce(const BankView& bank, Violations& out) {
  if (bank.transaction == nullptr) {
    if (bank.entries.empty()) return;
    Add(out, kExactlyOnce, bank.entries.front().transaction_id, bank.bank_id,
        "has entries at bank " + std::string(bank.bank_id) + ", which has no such transaction");
    return;
  }
  const BankTransactionRecord& transaction = *bank.transaction;
  if (EntriesAreExact(transaction, bank.entries)) return;
  std::vector<EntryRecord> expected;
  if (transaction.state == BankTransactionState::kCommitted) expected = ExpectedEntries(transaction);
  const auto same = [](const EntryRecord& a, const EntryRecord& b) {
    return a.line == b.line && a.account_id == b.account_id && a.amount_minor_units == b.amount_minor_units &&
           a.currency == b.currency;
  };
  const auto [wanted, found] = std::ranges::mismatch(expected, bank.entries, same);
  const std::string is = found == bank.entries.end() ? "nothing" : "'" + Describe(*found) + "'";
  const std::string should = wanted == expected.end() ? "nothing" : "'" + Describe(*wanted) + "'";
  Add(out, kExactlyOnce, transaction.id, bank.bank_id,
      "is " + std::string(Name(transaction.state)) + " at bank " + std::string(bank.bank_id) + " and has entry " + is +
          " where it must have " + should,
      wanted == expected.end() ? "" : Describe(*wanted), found == bank.entries.end() ? "" : Describe(*found));
}

void CheckEntriesBalance(const BankView& bank, Violations& out) {
  std::map<Currency, WideAmount> sums;
  for (const EntryRecord& entry : bank.entries) sums[entry.currency] += entry.amount_minor_units;
  for (const auto& [currency, sum] : sums) {
    if (sum == 0) continue;
    Add(out, kConservation, bank.entries.front().transaction_id, bank.bank_id,
        "has entries at bank " + std::string(bank.bank_id) + " that sum to " + ToString(sum) + " minor units of " +
            std::string(currency.code()) + " instead of zero");
  }
}

}  // namespace strife::invariant
