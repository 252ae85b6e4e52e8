#include "invariant/ledger_invariants.h"

namespace strife::invariant {
namespace {

void Add(Violations& out, std::string_view invariant, std::string_view bank_id, const protocol::AccountRecord& account,
         const std::string& sentence) {
  out.push_back({invariant,
                 {},
                 std::string(bank_id),
                 account.account_id,
                 "account " + account.account_id + " at bank " + std::string(bank_id) + " " + sentence});
}

}  // namespace

void CheckBalance(std::string_view bank_id, const protocol::AccountRecord& account, const AccountSums& sums,
                  Violations& out) {
  if (sums.posted == account.posted) return;
  Add(out, kBalances, bank_id, account,
      "has a posted balance of " + std::to_string(account.posted) + " minor units, but its entries sum to " +
          ToString(sums.posted));
}

void CheckHolds(std::string_view bank_id, const protocol::AccountRecord& account, const AccountSums& sums,
                Violations& out) {
  if (sums.held != account.held) {
    Add(out, kHolds, bank_id, account,
        "holds " + std::to_string(account.held) + " minor units, but its prepared transactions hold " +
            ToString(sums.held));
  }
  if (sums.incoming != account.incoming) {
    Add(out, kHolds, bank_id, account,
        "expects " + std::to_string(account.incoming) + " minor units, but its prepared transactions bring " +
            ToString(sums.incoming));
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
                     ToString(credits) + " minor units of " + std::string(currency.code())});
}

void CheckClearing(Currency currency, WideAmount sum, Violations& out) {
  if (sum == 0) return;
  out.push_back({kConservation,
                 {},
                 {},
                 {},
                 "the clearing accounts of all banks sum to " + ToString(sum) + " minor units of " +
                     std::string(currency.code()) + " instead of zero"});
}

}  // namespace strife::invariant
