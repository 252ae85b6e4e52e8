// BankBooks: walks one bank's transactions and entries side by side in id order, checks each transaction by itself,
// sums up what every account must hold, and compares in the end.
//
// Memory grows with the number of accounts, not with the length of the history.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "env/bank_store.h"
#include "invariant/ledger_invariants.h"
#include "invariant/payment_invariants.h"
#include "verify/peekable.h"
#include "verify/report.h"

namespace strife::verify {

// For one thread at a time.
class BankBooks {
 public:
  // Takes a snapshot now. kInvalidInput when the books are another bank's.
  static Result<std::unique_ptr<BankBooks>> Open(std::string bank_id, BankReader& reader);

  const std::string& bank_id() const { return summary_.bank_id; }

  // Walks all of it and gives out the payments among the transactions, in id order; ends early when `take` says false.
  Status Walk(const std::function<bool(protocol::BankTransactionRecord)>& take);

  // After Walk has come to its end.
  const BankSummary& summary() const { return summary_; }
  const Findings& findings() const { return findings_; }
  // What is posted on the clearing accounts.
  const std::map<Currency, std::int64_t>& clearing() const { return clearing_; }

  // What operators have decided or proposed, by transaction id. Read at Open; any thread may look.
  using Heuristics = std::map<Uuid, protocol::HeuristicRecord>;
  const Heuristics& heuristics() const { return heuristics_; }
  const protocol::HeuristicRecord* HeuristicOf(const Uuid& id) const {
    const auto found = heuristics_.find(id);
    return found == heuristics_.end() ? nullptr : &found->second;
  }

 private:
  // What the history says about an account, and in which currency.
  struct Expected {
    invariant::AccountSums sums;
    Currency currency;
    bool mixed = false;  // entries or holds of more than one currency
  };
  struct CurrencySums {
    invariant::WideAmount debits = 0;
    invariant::WideAmount credits = 0;
  };

  BankBooks(std::string bank_id, BankReader& reader, std::unique_ptr<BankSnapshot> snapshot);

  template <typename Row>
  Result<Peekable<Row>> Read(Result<std::unique_ptr<Cursor<Row>>> cursor);
  // The transaction and the entries with the smallest id that is left, into transaction_ and entries_; false at the
  // end.
  Result<bool> Next(Peekable<protocol::BankTransactionRecord>& transactions, Peekable<protocol::EntryRecord>& entries);
  void Count(const protocol::BankTransactionRecord& transaction);
  void CountEntries();
  Expected& ExpectedOf(const std::string& account_id, Currency currency);
  CurrencySums& SumsOf(Currency currency);

  Status ReadHeuristics();
  void CheckLeftHeuristics();
  Status CheckAccounts();
  void CheckAccount(const protocol::AccountRecord& account, invariant::Violations& found);
  Status CheckSums();

  BankSummary summary_;
  Findings findings_;
  BankReader& reader_;
  std::unique_ptr<BankSnapshot> snapshot_;
  std::optional<protocol::BankTransactionRecord> transaction_;
  std::vector<protocol::EntryRecord> entries_;
  Heuristics heuristics_;
  std::size_t heuristics_met_ = 0;  // whose transaction has come by
  std::unordered_map<std::string, Expected> expected_;
  std::map<Currency, CurrencySums> sums_;
  std::map<Currency, LedgerTotals> totals_;
  std::map<Currency, std::int64_t> clearing_;
  // Found last: half of all entries are on one account, and nearly all in one currency.
  std::pair<const std::string*, Expected*> last_internal_{};
  std::pair<Currency, CurrencySums*> last_sums_{};
};

}  // namespace strife::verify
