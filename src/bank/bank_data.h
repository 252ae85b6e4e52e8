// A bank's opening data, from bank_data.json:
//
//   {"accounts": [{"account_id": "user1", "currency": "USD", "balance": "10000.00"}]}
//
// Every key is required and an unknown key is an error. Balances are decimal text, never numbers: a JSON number would
// pass through floating point in other programs.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/money.h"
#include "base/result.h"

namespace strife::bank {

// Of one currency, altogether: a thousand times the largest balance, and books hold nine times as much.
inline constexpr std::int64_t kMaxOpeningSumMinorUnits = 1000 * limits::kMaxAmountMinorUnits;

struct OpeningAccount {
  std::string account_id;
  Money balance;  // not negative

  bool operator==(const OpeningAccount&) const = default;
};

// In file order. kInvalidInput with one sentence naming the file and the place or account at fault: malformed JSON,
// unknown or duplicate keys, an account twice, a bad id, currency or balance.
Result<std::vector<OpeningAccount>> LoadBankData(const std::filesystem::path& path);
// The same for text; `source` is what messages call it.
Result<std::vector<OpeningAccount>> ParseBankData(std::string_view json, const std::string& source);

}  // namespace strife::bank
