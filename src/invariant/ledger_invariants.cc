#include "invariant/ledger_invariants.h"

#include <limits>
#include <utility>

namespace strife::invariant {
namespace {

constexpr WideAmount kLargest = std::numeric_limits<std::int64_t>::max();

void Add(Violations& out, std::string_view invariant, std::string_view bank_id, const protocol::AccountRecord& account,
         const std::string& sentence, std::string expected = {}, std::string found = {}) {
  out.push_back({invariant,
                 {},
                 std::string(bank_id),
                 account.account_id,
                 "account " + account.account_id + " at bank " + std::string(bank_id) + " " + sentence,
                 std::move(expected),
                 std::move(found)});
}

}  // namespace

void CheckBalance(std::string_view bank_id, const protocol::AccountRecord& account, const AccountSums& sums,
                  Violations& out) {
  if (sums.posted == account.posted) return;
  Add(out, kBalances, bank_id, account,
      "has a posted balance of " + std::to_string(account.posted) + " minor units, but its entries sum to " +
          ToString(sums.posted),
      ToString(sums.posted), std::to_string(account.posted));
}

void CheckHolds(std::string_view bank_id, const protocol::AccountRecord& account, const AccountSums& sums,
                Violations& out) {
  if (sums.held != account.held) {
    Add(out, kHolds, bank_id, account,
        "holds " + std::to_string(account.held) + " minor units, but its prepared transactions hold " +
            ToString(sums.held),
        ToString(sums.held), std::to_string(account.held));
  }
  if (sums.incoming != account.incoming) {
    Add(out, kHolds, bank_id, account,
        "expects " + std::to_string(account.incoming) + " minor units, but its prepared transactions bring " +
            ToString(sums.incoming),
        ToString(sums.incoming), std::to_string(account.incoming));
  }
}

void CheckNoOverdraft(std::string_view bank_id, const protocol::AccountRecord& account, Violations& out) {
  if (account.held < 0 || account.incoming < 0) Add(out, kNoOverdraft, bank_id, account, "has a negative reservation");
  const WideAmount available = WideAmount{account.posted} - account.held;
  if (account.kind != protocol::AccountKind::kCustomer || available >= 0) return;
  Add(out, kNoOverdraft, bank_id, account, "is overdrawn: " + ToString(available) + " minor units are available");
}

void CheckDebitsEqualCredits(std::string_view bank_id, Currency currency, WideAmount debits, WideAmount credits,
                             Violations& out) {
  if (debits == credits) return;
  out.push_back({kConservation,
                 {},
                 std::string(bank_id),
                 {},
                 "bank " + std::string(bank_id) + " has debits of " + ToString(debits) + " and credits of " +
                     ToString(credits) + " minor units of " + std::string(currency.code()),
                 ToString(debits),
                 ToString(credits)});
}

void CheckRunningSums(std::string_view bank_id, Currency currency, std::string_view what, WideAmount running,
                      WideAmount sum, Violations& out) {
  if (running == sum || (running == kLargest && sum > running)) return;
  out.push_back({kBalances,
                 {},
                 std::string(bank_id),
                 {},
                 "bank " + std::string(bank_id) + " keeps a running sum of " + std::string(what) + " of " +
                     ToString(running) + " minor units of " + std::string(currency.code()) +
                     ", but its entries sum to " + ToString(sum),
                 ToString(sum),
                 ToString(running)});
}

void CheckClearing(Currency currency, WideAmount sum, WideAmount in_flight, Violations& out) {
  if (sum == in_flight) return;
  const std::string should =
      in_flight == 0 ? "zero" : ToString(in_flight) + ", which is what payments have posted at one bank only";
  out.push_back({kConservation,
                 {},
                 {},
                 {},
                 "the clearing accounts of all banks sum to " + ToString(sum) + " minor units of " +
                     std::string(currency.code()) + " instead of " + should,
                 ToString(in_flight),
                 ToString(sum)});
}

}  // namespace strife::invariant
