// users.json, and with it the strict JSON reader.
#include <set>

#include "fuzz.h"
#include "security/password.h"
#include "security/strict_json.h"
#include "security/users.h"

namespace strife::security {
namespace {

// A value that was read can be written and read again.
void CheckJson(std::string_view text) {
  const auto value = ParseStrictJson(text, "the file");
  if (!value) return fuzz::CheckMessage(value.error().message);
  const auto again = ParseStrictJson(value->dump(), "the copy");
  STRIFE_ASSERT(again.has_value());
  STRIFE_ASSERT(again->dump() == value->dump());
}

void CheckUsers(const std::vector<User>& users) {
  std::set<std::string> names, accounts;
  for (const User& user : users) {
    STRIFE_ASSERT(IsIdentifier(user.username, limits::kMaxUsernameBytes) && names.insert(user.username).second);
    STRIFE_ASSERT(ReadPasswordCost(user.password_hash).has_value());
    std::set<std::string> banks;
    for (const protocol::AccountRef& account : user.accounts) {
      STRIFE_ASSERT(IsIdentifier(account.bank_id, limits::kMaxBankIdBytes) && banks.insert(account.bank_id).second);
      STRIFE_ASSERT(IsIdentifier(account.account_id, limits::kMaxAccountIdBytes));
      STRIFE_ASSERT(accounts.insert(account.bank_id + "/" + account.account_id).second);  // nobody shares an account
    }
  }
}

FUZZ_TARGET(users) {
  CheckJson(input);
  const auto users = UserDirectory::Parse(input, "users.json");
  if (!users) return fuzz::CheckMessage(users.error().message);
  CheckUsers(users->users());
}

}  // namespace
}  // namespace strife::security
