// What a load is made of: who pays whom how much, and how often somebody only looks. No clock, no I/O; chance comes in.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "base/currency.h"
#include "base/result.h"
#include "protocol/types.h"

namespace strife::cli {

struct MixOptions {
  Currency currency;
  int batch = 1;         // payments in a call
  double one_bank = 0;   // share of calls that pay within one bank, 0 to 1
  double hot = 0;        // share of payments that go to one and the same account
  double reads = 0;      // share of calls that only look
  int banks = 0;         // only accounts at so many banks; 0: all
  int other_payees = 0;  // pay to account-0 … of each bank instead of to the users, so many; 0: to the users
};

enum class Read : std::uint8_t { kBalance, kPayment, kHistory };

class LoadMix {
 public:
  using Random = std::mt19937_64;

  // `accounts` of each user, by the user's index. kInvalidInput when nobody could pay anybody as the options want it.
  static Result<LoadMix> Create(const std::vector<std::vector<protocol::AccountRef>>& accounts,
                                const MixOptions& options);

  bool NextIsRead(Random& random) const { return Chance(random, options_.reads); }
  // Replaces `orders` by the payments of the next call, all from one account; returns the index of its user.
  // `unix_ms` goes into their ids.
  std::size_t NextPayments(Random& random, std::int64_t unix_ms, std::vector<protocol::PaymentOrder>* orders) const;
  // Somebody's account, and the index of its user.
  std::pair<std::size_t, const protocol::AccountRef*> AnyAccount(Random& random) const;

  std::size_t account_count() const { return parties_.size(); }
  std::size_t bank_count() const { return banks_.size(); }

 private:
  struct Party {
    std::size_t user;
    std::size_t bank;  // index in banks_
    protocol::AccountRef account;
  };

  static bool Chance(Random& random, double share);
  static bool MayPay(const Party& payer, const Party& payee, bool within) {
    return payer.user != payee.user && (payer.bank == payee.bank) == within;
  }
  const Party& AnyParty(Random& random) const;
  bool Possible(bool within) const;
  void FillPayee(Random& random, const Party& payer, bool within, protocol::AccountRef* payee) const;

  MixOptions options_;
  std::vector<std::string> banks_;
  std::vector<Party> parties_;  // the first is the hot one
};

}  // namespace strife::cli
