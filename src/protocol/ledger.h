// Double entry. Money only ever moves between two accounts of one bank, in two steps: reserve, then post or release.
//
// A payment's debit leg is a transfer customer -> clearing, its credit leg clearing -> customer, so each bank's books
// balance by themselves and the clearing accounts of all banks sum to zero once nothing is open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/types.h"

namespace strife::protocol {

enum class LedgerRefusal {
  kInsufficientFunds,  // a customer account would go below zero
  kOverflow,           // a balance would not fit 64 bits
};

// Reserves `amount` to move between the accounts, so that Post cannot fail later, or changes nothing.
// REQUIRES: amount > 0, same currency, two different accounts.
std::optional<LedgerRefusal> Reserve(AccountRecord& from, AccountRecord& to, std::int64_t amount);

// Moves what Reserve set aside. REQUIRES: reserved and neither posted nor released yet.
void Post(AccountRecord& from, AccountRecord& to, std::int64_t amount);

// Gives back what Reserve set aside. REQUIRES: as Post.
void Release(AccountRecord& from, AccountRecord& to, std::int64_t amount);

// The bank's own account of a kind, such as "clearing:USD". Cannot clash with a customer's id, which has no colon.
std::string InternalAccountId(AccountKind kind, Currency currency);

// An account with nothing on it.
AccountRecord EmptyAccount(std::string account_id, AccountKind kind, Currency currency);

}  // namespace strife::protocol
