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

namespace {

// Customers' account ids have no colon, the bank's own all have.
bool IsInternal(const std::string& account_id) { return account_id.find(':') != std::string::npos; }

}  // namespace

Result<std::unique_ptr<BankBooks>> BankBooks::Open(std::string bank_id, BankReader& reader) {
  auto snapshot = reader.Snapshot();
  if (!snapshot) return std::unexpected(std::move(snapshot.error()));
  auto owner = (*snapshot)->BankId();
  if (!owner) return std::unexpected(std::move(owner.error()));
  if (!owner->empty() && *owner != bank_id) {
    return Fail(ErrorCode::kInvalidInput, "the database given as bank " + bank_id + "'s belongs to bank " + *owner +
                                              ": name the right data_dir in the bank's configuration");
  }
  std::unique_ptr<BankBooks> books(new BankBooks(std::move(bank_id), reader, std::move(*snapshot)));
  if (auto read = books->ReadHeuristics(); !read) return std::unexpected(std::move(read.error()));
  return books;
}

BankBooks::BankBooks(std::string bank_id, BankReader& reader, std::unique_ptr<BankSnapshot> snapshot)
    : reader_(reader), snapshot_(std::move(snapshot)) {
  summary_.bank_id = std::move(bank_id);
}

template <typename Row>
Result<Peekable<Row>> BankBooks::Read(Result<std::unique_ptr<Cursor<Row>>> cursor) {
  return Peekable<Row>::Open(std::move(cursor), [this](const Error& error) {
    findings_.Add(Violations{{invariant::kWellFormed, {}, bank_id(), {}, error.message}});
  });
}

Status BankBooks::ReadHeuristics() {
  auto heuristics = Read(snapshot_->Heuristics());
  if (!heuristics) return std::unexpected(std::move(heuristics.error()));
  while (const protocol::HeuristicRecord* record = heuristics->Peek()) {
    heuristics_.emplace(record->transaction_id, *record);
    if (auto advanced = heuristics->Advance(); !advanced) return advanced;
  }
  return {};
}

Status BankBooks::Walk(const std::function<bool(BankTransactionRecord)>& take) {
  auto transactions = Read(snapshot_->Transactions());
  if (!transactions) return std::unexpected(std::move(transactions.error()));
  auto entries = Read(snapshot_->Entries());
  if (!entries) return std::unexpected(std::move(entries.error()));
  for (;;) {
    auto more = Next(*transactions, *entries);
    if (!more) return std::unexpected(std::move(more.error()));
    if (!*more) break;
    const invariant::BankView view{bank_id(), transaction_ ? &*transaction_ : nullptr, entries_,
                                   transaction_ ? HeuristicOf(transaction_->id) : nullptr};
    Violations found;
    if (view.heuristic != nullptr) ++heuristics_met_;
    invariant::CheckForced(view, found);
    const std::size_t before = found.size();
    invariant::CheckExactlyOnce(view, found);
    // Exactly the entries it must have balance by themselves.
    if (found.size() > before) invariant::CheckEntriesBalance(view, found);
    findings_.Add(std::move(found));
    if (transaction_) Count(*transaction_);
    CountEntries();
    if (view.Payment() != nullptr && !take(*std::move(transaction_))) return {};
  }
  if (heuristics_met_ < heuristics_.size()) CheckLeftHeuristics();
  if (auto checked = CheckAccounts(); !checked) return checked;
  return CheckSums();
}

// Some are about transactions that are not there.
void BankBooks::CheckLeftHeuristics() {
  for (const auto& [id, record] : heuristics_) {
    auto transaction = reader_.FindTransaction(id);
    if (transaction && *transaction) continue;
    findings_.Add(Violations{{invariant::kHeuristic,
                              id,
                              bank_id(),
                              {},
                              "transaction " + id.ToString() + " has a decision of operators at bank " + bank_id() +
                                  ", which has no such transaction"}});
  }
}

Result<bool> BankBooks::Next(Peekable<BankTransactionRecord>& transactions, Peekable<EntryRecord>& entries) {
  transaction_.reset();
  entries_.clear();
  const BankTransactionRecord* transaction = transactions.Peek();
  const EntryRecord* entry = entries.Peek();
  if (transaction == nullptr && entry == nullptr) return false;
  const bool orphan = transaction == nullptr || (entry != nullptr && entry->transaction_id < transaction->id);
  const Uuid id = orphan ? entry->transaction_id : transaction->id;
  if (!orphan) {
    auto taken = transactions.Take();
    if (!taken) return std::unexpected(std::move(taken.error()));
    transaction_ = std::move(*taken);
  }
  for (; entry != nullptr && entry->transaction_id == id; entry = entries.Peek()) {
    auto taken = entries.Take();
    if (!taken) return std::unexpected(std::move(taken.error()));
    entries_.push_back(std::move(*taken));
  }
  return true;
}

BankBooks::Expected& BankBooks::ExpectedOf(const std::string& account_id, Currency currency) {
  if (last_internal_.first != nullptr && *last_internal_.first == account_id &&
      last_internal_.second->currency == currency) {
    return *last_internal_.second;
  }
  const auto [place, inserted] = expected_.try_emplace(account_id);
  if (inserted) place->second.currency = currency;
  if (place->second.currency != currency) place->second.mixed = true;
  if (IsInternal(account_id)) last_internal_ = {&place->first, &place->second};
  return place->second;
}

BankBooks::CurrencySums& BankBooks::SumsOf(Currency currency) {
  if (last_sums_.second == nullptr || last_sums_.first != currency) last_sums_ = {currency, &sums_[currency]};
  return *last_sums_.second;
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
  for (const EntryRecord& entry : entries_) {
    ExpectedOf(entry.account_id, entry.currency).sums.posted += entry.amount_minor_units;
    CurrencySums& sums = SumsOf(entry.currency);
    if (entry.amount_minor_units < 0) {
      sums.debits -= entry.amount_minor_units;
    } else {
      sums.credits += entry.amount_minor_units;
    }
  }
  summary_.entries += entries_.size();
}

Status BankBooks::CheckAccounts() {
  auto accounts = Read(snapshot_->Accounts());
  if (!accounts) return std::unexpected(std::move(accounts.error()));
  while (const AccountRecord* account = accounts->Peek()) {
    Violations found;
    CheckAccount(*account, found);
    findings_.Add(std::move(found));
    if (auto advanced = accounts->Advance(); !advanced) return advanced;
  }
  // Whatever was not claimed by an account row belongs to no account.
  for (const auto& [account_id, expected] : std::map(expected_.begin(), expected_.end())) {
    findings_.Add(
        Violations{{invariant::kBalances,
                    {},
                    bank_id(),
                    account_id,
                    "account " + account_id + " at bank " + bank_id() + " has entries or holds and does not exist"}});
  }
  return {};
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

Status BankBooks::CheckSums() {
  auto running = snapshot_->RunningSums();
  if (!running && running.error().code != ErrorCode::kMalformed) return std::unexpected(std::move(running.error()));
  if (!running) {
    findings_.Add(Violations{{invariant::kWellFormed, {}, bank_id(), {}, running.error().message}});
    running = std::vector<LedgerTotals>();
  }
  std::map<Currency, LedgerTotals> kept;
  for (const LedgerTotals& sums : *running) kept[sums.currency] = sums;
  Violations found;
  for (const auto& [currency, totals] : kept) sums_.try_emplace(currency);
  for (const auto& [currency, sums] : sums_) {
    invariant::CheckDebitsEqualCredits(bank_id(), currency, sums.debits, sums.credits, found);
    const LedgerTotals& totals = kept[currency];
    invariant::CheckRunningSums(bank_id(), currency, "debits", totals.debits, sums.debits, found);
    invariant::CheckRunningSums(bank_id(), currency, "credits", totals.credits, sums.credits, found);
    totals_[currency].currency = currency;
    totals_[currency].debits = invariant::Saturate(sums.debits);
    totals_[currency].credits = invariant::Saturate(sums.credits);
  }
  findings_.Add(std::move(found));
  for (const auto& [currency, totals] : totals_) summary_.totals.push_back(totals);
  return {};
}

}  // namespace strife::verify
