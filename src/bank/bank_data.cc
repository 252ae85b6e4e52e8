#include "bank/bank_data.h"

#include <map>
#include <unordered_set>

#include "base/limits.h"
#include "base/text.h"
#include "security/secure_file.h"
#include "security/strict_json.h"

namespace strife::bank {
namespace {

using nlohmann::json;
using security::JsonFields;

std::string Shown(const Money& money) { return FormatAmount(money) + ' ' + std::string(money.currency.code()); }

Result<OpeningAccount> ReadAccount(const json& value, const std::string& source, std::size_t number) {
  std::string called = source + ": account number " + std::to_string(number);
  if (value.is_object() && value.contains("account_id") && value["account_id"].is_string()) {
    const auto& id = value["account_id"].get_ref<const std::string&>();
    called = source + ": account \"" + Sanitize(id, limits::kMaxAccountIdBytes) + '"';
  }
  const auto fields = JsonFields::Of(value, called, {"account_id", "currency", "balance"});
  if (!fields) return std::unexpected(fields.error());
  const auto account_id = fields->String("account_id");
  if (!account_id) return std::unexpected(account_id.error());
  if (!IsIdentifier(*account_id, limits::kMaxAccountIdBytes)) {
    return fields->Wrong("has an account_id that is not 1 to 64 letters, digits, '.', '_' or '-'");
  }
  const auto code = fields->String("currency");
  if (!code) return std::unexpected(code.error());
  const auto currency = Currency::Parse(*code);
  if (!currency) return fields->Wrong("has a currency that is no ISO 4217 code: " + Sanitize(*code, 8));
  const auto text = fields->String("balance");
  if (!text) return std::unexpected(text.error());
  const auto balance = ParseAmount(*text, *currency);
  if (!balance) return fields->Wrong("has a bad balance: " + balance.error().message);
  if (balance->minor_units > limits::kMaxAmountMinorUnits) {
    return fields->Wrong("has a balance of " + Shown(*balance) +
                         ", which is more than an account may be opened with, " +
                         Shown({limits::kMaxAmountMinorUnits, *currency}));
  }
  return OpeningAccount{*account_id, *balance};
}

}  // namespace

Result<std::vector<OpeningAccount>> LoadBankData(const std::filesystem::path& path) {
  const auto text = security::ReadFile(path);
  if (!text) return std::unexpected(text.error());
  return ParseBankData(*text, path.string());
}

Result<std::vector<OpeningAccount>> ParseBankData(std::string_view text, const std::string& source) {
  const auto value = security::ParseStrictJson(text, source);
  if (!value) return std::unexpected(value.error());
  const auto fields = JsonFields::Of(*value, source, {"accounts"});
  if (!fields) return std::unexpected(fields.error());
  const auto list = fields->Array("accounts");
  if (!list) return std::unexpected(list.error());

  std::vector<OpeningAccount> accounts;
  std::unordered_set<std::string> seen;
  std::map<Currency, std::int64_t> sums;
  for (const json& entry : **list) {
    auto account = ReadAccount(entry, source, accounts.size() + 1);
    if (!account) return std::unexpected(account.error());
    if (!seen.insert(account->account_id).second) {
      return Fail(ErrorCode::kInvalidInput, source + ": account \"" + account->account_id + "\" is there twice");
    }
    std::int64_t& sum = sums[account->balance.currency];
    sum += account->balance.minor_units;  // both are far from what would overflow
    if (sum > kMaxOpeningSumMinorUnits) {
      return Fail(ErrorCode::kInvalidInput, source + ": with account \"" + account->account_id +
                                                "\" the balances come to " + Shown({sum, account->balance.currency}) +
                                                ", which is more than a bank may be opened with, " +
                                                Shown({kMaxOpeningSumMinorUnits, account->balance.currency}));
    }
    accounts.push_back(*std::move(account));
  }
  return accounts;
}

}  // namespace strife::bank
