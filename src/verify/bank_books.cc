#include "verify/bank_books.h"

#include <algorithm>
#include <utility>

namespace strife::verify {

using invariant::Violations;
using protocol::AccountKind;
using protocol::AccountRecord;
using protocol::BankTransactionKind;
using protocol::BankTransactionRecord;
using protocol::BankTransactionState;
using protocol::EntryRecord;

Result<std::unique_ptr<BankBooks>> BankBooks::Open(std::string bank_id, BankReader& reader) {
  auto snapshot = reader.Snapshot();
  if (!snapshot) return std::unexpected(std::move(snapshot.error()));
  auto transactions = Peekable<BankTransactionRecord>::Open((*snapshot)->Transactions());
  if (!transactions) return std::unexpected(std::move(transactions.error()));
  auto entries = Peekable<EntryRecord>::Open((*snapshot)->Entries());
  if (!entries) return std::unexpected(std::move(entries.error()));
  return std::unique_ptr<BankBooks>(
      new BankBooks(std::move(bank_id), std::move(*snapshot), std::move(*transactions), std::move(*entries)));
}

BankBooks::BankBooks(std::string bank_id, std::unique_ptr<BankSnapshot> snapshot,
                     Peekable<BankTransactionRecord> transactions, Peekable<EntryRecord> entries)
    : snapshot_(std::move(snapshot)), transactions_(std::move(transactions)), entries_(std::move(entries)) {
  summary_.bank_id = std::move(bank_id);
}

std::optional<Uuid> BankBooks::NextId() const {
  const BankTransactionRecord* transaction = transactions_.Peek();
  const EntryRecord* entry = entries_.Peek();
  if (transaction == nullptr && entry == nullptr) return std::nullopt;
  if (transaction == nullptr) return entry->transaction_id;
  if (entry == nullptr) return transaction->id;
  return std::min(transaction->id, entry->transaction_id);
}

Status BankBooks::Read(const Uuid& id, Report& report) {
  transaction_.reset();
  lines_.clear();
  if (const BankTransactionRecord* next = transactions_.Peek(); next != nullptr && next->id == id) {
    auto taken = transactions_.Take();
    if (!taken) return std::unexpected(std::move(taken.error()));
    transaction_ = std::move(*taken);
    Count(*transaction_);
  }
  for (const EntryRecord* next = entries_.Peek(); next != nullptr && next->transaction_id == id;
       next = entries_.Peek()) {
    auto taken = entries_.Take();
    if (!taken) return std::unexpected(std::move(taken.error()));
    lines_.push_back(std::move(*taken));
  }
  CountEntries();
  Violations found;
  invariant::CheckExactlyOnce(View(), found);
  invariant::CheckEntriesBalance(View(), found);
  report.Add(std::move(found));
  return {};
}

invariant::BankView BankBooks::View() const {
  return {summary_.bank_id, transaction_ ? &*transaction_ : nullptr, lines_};
}

BankBooks::Expected& BankBooks::ExpectedOf(const std::string& account_id, Currency currency) {
  const auto [place, inserted] = expected_.try_emplace(account_id);
  if (inserted) place->second.currency = currency;
  if (place->second.currency != currency) place->second.mixed = true;
  return place->second;
}

void BankBooks::Count(const BankTransactionRecord& transaction) {
  if (transaction.kind != BankTransactionKind::kPayment) {
    ++summary_.own;
  } else if (transaction.state == BankTransactionState::kCommitted) {
    ++summary_.committed;
  } else if (transaction.state == BankTransactionState::kAborted) {
    ++summary_.aborted;
  } else {
    ++summary_.prepared;
  }
  if (transaction.state != BankTransactionState::kPrepared) return;
  for (const EntryRecord& entry : invariant::ExpectedEntries(transaction)) {
    invariant::AccountSums& sums = ExpectedOf(entry.account_id, entry.currency).sums;
    if (entry.amount_minor_units < 0) {
      sums.held -= entry.amount_minor_units;
    } else {
      sums.incoming += entry.amount_minor_units;
    }
  }
}

void BankBooks::CountEntries() {
  for (const EntryRecord& entry : lines_) {
    ExpectedOf(entry.account_id, entry.currency).sums.posted += entry.amount_minor_units;
    CurrencySums& sums = sums_[entry.currency];
    if (entry.amount_minor_units < 0) {
      sums.debits -= entry.amount_minor_units;
    } else {
      sums.credits += entry.amount_minor_units;
    }
    totals_[entry.currency].Add(entry);
    ++summary_.entries;
  }
}

void BankBooks::CheckAccount(const AccountRecord& account, Violations& found) {
  ++summary_.accounts;
  totals_[account.currency].Add(account);
  if (account.kind == AccountKind::kClearing) clearing_[account.currency] = account.posted;
  Expected expected;
  if (const auto known = expected_.find(account.account_id); known != expected_.end()) {
    expected = known->second;
    expected_.erase(known);
    if (expected.mixed || expected.currency != account.currency) {
      found.push_back({invariant::kTerms,
                       {},
                       bank_id(),
                       account.account_id,
                       "account " + account.account_id + " at bank " + bank_id() + " is in " +
                           std::string(account.currency.code()) + " and has entries or holds in another currency"});
    }
  }
  invariant::CheckBalance(bank_id(), account, expected.sums, found);
  invariant::CheckHolds(bank_id(), account, expected.sums, found);
  invariant::CheckNoOverdraft(bank_id(), account, found);
}

void BankBooks::CheckSums(Violations& found) {
  // Whatever was not claimed by an account row above belongs to no account.
  for (const auto& [account_id, expected] : expected_) {
    found.push_back({invariant::kBalances,
                     {},
                     bank_id(),
                     account_id,
                     "account " + account_id + " at bank " + bank_id() + " has entries or holds and does not exist"});
  }
  for (const auto& [currency, sums] : sums_) {
    invariant::CheckDebitsEqualCredits(bank_id(), currency, sums.debits, sums.credits, found);
  }
}

Status BankBooks::Finish(Report& report) {
  auto accounts = snapshot_->Accounts();
  if (!accounts) return std::unexpected(std::move(accounts.error()));
  for (;;) {
    auto account = (*accounts)->Next();
    if (!account) return std::unexpected(std::move(account.error()));
    if (!*account) break;
    Violations found;
    CheckAccount(**account, found);
    report.Add(std::move(found));
  }
  Violations found;
  CheckSums(found);
  report.Add(std::move(found));
  for (const auto& [currency, totals] : totals_) summary_.totals.push_back(totals);
  report.banks.push_back(summary_);
  return {};
}

}  // namespace strife::verify
