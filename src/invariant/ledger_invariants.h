// What must hold for the accounts of a bank and for the books of all banks together. Pure functions over rows and sums;
// each appends what it finds to `out`.
#pragma once

#include <string>
#include <string_view>

#include "invariant/violation.h"
#include "invariant/wide_amount.h"
#include "protocol/types.h"

namespace strife::invariant {

// What the history says an account must hold: sums over entries and over prepared transactions.
struct AccountSums {
  WideAmount posted = 0;
  WideAmount held = 0;
  WideAmount incoming = 0;
};

// posted is the sum of the account's entries.
void CheckBalance(std::string_view bank_id, const protocol::AccountRecord& account, const AccountSums& sums,
                  Violations& out);

// held and incoming are what prepared transactions reserve, no more and no less.
void CheckHolds(std::string_view bank_id, const protocol::AccountRecord& account, const AccountSums& sums,
                Violations& out);

// A customer account never owes: posted - held >= 0, and nothing is reserved negatively.
void CheckNoOverdraft(std::string_view bank_id, const protocol::AccountRecord& account, Violations& out);

// Debits equal credits in a bank's books of one currency. Both are given as positive sums.
void CheckDebitsEqualCredits(std::string_view bank_id, Currency currency, WideAmount debits, WideAmount credits,
                             Violations& out);

// What a bank keeps as the running sum of its debits or credits (`what`) is the sum of its entries. It stays at the
// largest 64-bit number when the sum is larger.
void CheckRunningSums(std::string_view bank_id, Currency currency, std::string_view what, WideAmount running,
                      WideAmount sum, Violations& out);

// The clearing accounts of all banks sum to what is posted at one bank and not yet at the other: to zero once nothing
// is open. REQUIRES: all banks are in the sum.
void CheckClearing(Currency currency, WideAmount sum, WideAmount in_flight, Violations& out);

}  // namespace strife::invariant
