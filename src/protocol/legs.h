// What a transaction moves at one bank: its debit leg, its credit leg, or both, each a transfer between two accounts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/bank_working_set.h"

namespace strife::protocol {

// One transfer of a transaction, by account id.
struct Transfer {
  std::string from;
  std::string to;
};

// The legs a payment has at this bank, in ledger order.
std::vector<Transfer> TransfersOf(const BankTransactionRecord& record);

// Reserves what the legs need, all or nothing; returns the reason code when it cannot be, else an empty string.
// REQUIRES: the working set has the accounts the record names, as far as they exist, and the bank's clearing account.
std::string HoldLegs(BankWorkingSet& batch, const BankTransactionRecord& record);

// Moves what HoldLegs reserved, with its ledger entries, or gives it back. REQUIRES: held, neither posted nor released.
void PostLegs(BankWorkingSet& batch, const BankTransactionRecord& record);
void ReleaseLegs(BankWorkingSet& batch, const BankTransactionRecord& record);

// What is wrong when the accounts do not hold what the transactions that are prepared have reserved; nothing when they
// do. Only a damaged store can be so. REQUIRES: `rows` has the accounts that TransfersOf names, as far as they exist.
std::optional<std::string> ProblemWithHolds(const std::vector<BankTransactionRecord>& undecided, const BankRows& rows);

// Why a customer account cannot take part; empty when it can. `unknown` is the reason for one that does not exist.
std::string_view AccountProblem(const AccountRecord* account, Currency currency, std::string_view unknown);

std::string_view ReasonFor(LedgerRefusal refusal);
bool ValidAmount(const Money& amount);

// The same money between the same accounts.
bool SameTransaction(const BankTransactionRecord& a, const BankTransactionRecord& b);

}  // namespace strife::protocol
