// BankBooks: walks one bank's transactions and entries side by side in id order, checks each transaction by itself,
// sums up what every account must hold, and compares in the end.
//
// Memory grows with the number of accounts, not with the length of the history.
#pragma once

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

class BankBooks {
 public:
  // Takes a snapshot now.
  static Result<std::unique_ptr<BankBooks>> Open(std::string bank_id, BankReader& reader);

  const std::string& bank_id() const { return summary_.bank_id; }
  // The smallest id that has not been read; nullopt at the end.
  std::optional<Uuid> NextId() const;

  // Reads everything about `id`, which must not be greater than NextId; reports what is wrong with it by itself.
  Status Read(const Uuid& id, Report& report);
  // What Read found about that id; holds until the next Read.
  invariant::BankView View() const;

  // After the last id: checks accounts and sums, and adds this bank's summary to the report.
  Status Finish(Report& report);
  // After Finish: what is posted on the clearing account.
  const std::map<Currency, std::int64_t>& clearing() const { return clearing_; }

 private:
  BankBooks(std::string bank_id, std::unique_ptr<BankSnapshot> snapshot,
            Peekable<protocol::BankTransactionRecord> transactions, Peekable<protocol::EntryRecord> entries);
  void Count(const protocol::BankTransactionRecord& transaction);
  void CountEntries();
  void CheckAccount(const protocol::AccountRecord& account, invariant::Violations& found);
  void CheckSums(invariant::Violations& found);

  struct CurrencySums {
    invariant::WideAmount debits = 0;
    invariant::WideAmount credits = 0;
  };
  // What the history says about an account, and in which currency.
  struct Expected {
    invariant::AccountSums sums;
    Currency currency;
    bool mixed = false;  // entries or holds of more than one currency
  };
  Expected& ExpectedOf(const std::string& account_id, Currency currency);

  std::unique_ptr<BankSnapshot> snapshot_;
  Peekable<protocol::BankTransactionRecord> transactions_;
  Peekable<protocol::EntryRecord> entries_;
  std::optional<protocol::BankTransactionRecord> transaction_;  // of the id read last
  std::vector<protocol::EntryRecord> lines_;                    // of the id read last
  std::unordered_map<std::string, Expected> expected_;
  std::map<Currency, CurrencySums> sums_;
  std::map<Currency, LedgerTotals> totals_;
  std::map<Currency, std::int64_t> clearing_;
  BankSummary summary_;
};

}  // namespace strife::verify
