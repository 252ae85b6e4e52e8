// Violation: one broken invariant, as data. What to do about it is for whoever checked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"

namespace strife::invariant {

// Names of the invariants, as docs and reports use them.
inline constexpr std::string_view kWellFormed = "well-formed";       // every row can be read
inline constexpr std::string_view kAgreement = "agreement";          // never committed here and aborted there
inline constexpr std::string_view kValidity = "validity";            // committed only if every bank voted yes
inline constexpr std::string_view kStability = "stability";          // a decision never changes
inline constexpr std::string_view kToldTheTruth = "told-the-truth";  // what the gateway says is what the banks did
inline constexpr std::string_view kTerms = "terms";                // amount, currency and accounts are the ordered ones
inline constexpr std::string_view kKnown = "known";                // the gateway knows every payment at a bank
inline constexpr std::string_view kExactlyOnce = "exactly-once";   // exactly the entries a transaction must have
inline constexpr std::string_view kConservation = "conservation";  // debits equal credits; clearing sums to zero
inline constexpr std::string_view kBalances = "balances";          // a balance is the sum of its entries
inline constexpr std::string_view kHolds = "holds";                // reserved is what prepared transactions reserve
inline constexpr std::string_view kNoOverdraft = "no-overdraft";   // no customer below zero, holds included
inline constexpr std::string_view kHeuristic = "heuristic";        // what operators forced agrees, or is acknowledged

struct Violation {
  std::string_view invariant;  // one of the names above
  Uuid transaction_id;         // nil when it is not about one transaction
  std::string bank_id;         // empty when it is not about one bank
  std::string account_id;      // empty when it is not about one account
  std::string sentence;        // what is wrong, without a trailing full stop
  std::string expected{};      // the part of the sentence a program would ask for, where there is one
  std::string found{};

  bool operator==(const Violation&) const = default;
};

using Violations = std::vector<Violation>;

}  // namespace strife::invariant
