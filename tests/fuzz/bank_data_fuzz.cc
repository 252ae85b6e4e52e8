// bank_data.json: accounts and their opening balances.
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "bank/bank_data.h"
#include "fuzz.h"

namespace strife::bank {
namespace {

std::string Write(const std::vector<OpeningAccount>& accounts) {
  nlohmann::json list = nlohmann::json::array();
  for (const OpeningAccount& account : accounts) {
    list.push_back({{"account_id", account.account_id},
                    {"currency", account.balance.currency.code()},
                    {"balance", FormatAmount(account.balance)}});
  }
  return nlohmann::json{{"accounts", list}}.dump();
}

FUZZ_TARGET(bank_data) {
  const auto accounts = ParseBankData(input, "bank_data.json");
  if (!accounts) return fuzz::CheckMessage(accounts.error().message);
  std::set<std::string> seen;
  std::map<Currency, std::int64_t> sums;
  for (const OpeningAccount& account : *accounts) {
    STRIFE_ASSERT(IsIdentifier(account.account_id, limits::kMaxAccountIdBytes));
    STRIFE_ASSERT(seen.insert(account.account_id).second);
    STRIFE_ASSERT(account.balance.minor_units >= 0);
    STRIFE_ASSERT(account.balance.minor_units <= limits::kMaxAmountMinorUnits);
    std::int64_t& sum = sums[account.balance.currency];
    sum += account.balance.minor_units;
    STRIFE_ASSERT(sum <= kMaxOpeningSumMinorUnits);
  }
  STRIFE_ASSERT(ParseBankData(Write(*accounts), "the copy") == *accounts);
}

}  // namespace
}  // namespace strife::bank
