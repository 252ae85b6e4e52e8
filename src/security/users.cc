#include "security/users.h"

#include <algorithm>
#include <map>

#include "base/limits.h"
#include "base/text.h"
#include "security/encoding.h"
#include "security/password.h"
#include "security/random.h"
#include "security/secure_file.h"
#include "security/strict_json.h"

namespace strife::security {
namespace {

using nlohmann::json;

Result<protocol::AccountRef> ReadAccount(const json& value, const std::string& where) {
  const auto fields = JsonFields::Of(value, where + ", one of its accounts", {"bank_id", "account_id"});
  if (!fields) return std::unexpected(fields.error());
  const auto bank_id = fields->String("bank_id");
  if (!bank_id) return std::unexpected(bank_id.error());
  const auto account_id = fields->String("account_id");
  if (!account_id) return std::unexpected(account_id.error());
  if (!IsIdentifier(*bank_id, limits::kMaxBankIdBytes)) return fields->Wrong("has a bank_id that is no identifier");
  if (!IsIdentifier(*account_id, limits::kMaxAccountIdBytes)) {
    return fields->Wrong("has an account_id that is no identifier");
  }
  return protocol::AccountRef{*bank_id, *account_id};
}

Status ReadAccounts(const JsonFields& fields, User& user) {
  if (!fields.Has("accounts")) return {};
  const auto accounts = fields.Array("accounts");
  if (!accounts) return std::unexpected(accounts.error());
  for (const json& value : **accounts) {
    auto account = ReadAccount(value, fields.where());
    if (!account) return std::unexpected(account.error());
    if (user.AccountAt(account->bank_id) != nullptr) {
      return fields.Wrong("has two accounts at " + account->bank_id + "; one at each bank is allowed");
    }
    user.accounts.push_back(*std::move(account));
  }
  return {};
}

// `where` is the user's place in the file, until its name is known.
Result<User> ReadUser(const json& value, const std::string& source, const std::string& where) {
  std::string called = where;
  if (value.is_object() && value.contains("username") && value["username"].is_string()) {
    called = source + ": user \"" + Sanitize(value["username"].get<std::string>(), limits::kMaxUsernameBytes) + '"';
  }
  const auto fields = JsonFields::Of(value, called, {"username", "password_hash", "role", "disabled", "accounts"});
  if (!fields) return std::unexpected(fields.error());
  const auto username = fields->String("username");
  if (!username) return std::unexpected(username.error());
  if (!IsIdentifier(*username, limits::kMaxUsernameBytes)) {
    return fields->Wrong("has a username that is not 1 to 64 letters, digits, '.', '_' or '-'");
  }
  const auto hash = fields->String("password_hash");
  if (!hash) return std::unexpected(hash.error());
  if (const auto cost = ReadPasswordCost(*hash); !cost) {
    return fields->Wrong("has a password_hash that " + cost.error().message);
  }
  const auto role_text = fields->String("role");
  if (!role_text) return std::unexpected(role_text.error());
  const auto role = ParseUserRole(*role_text);
  if (!role) return fields->Wrong("has an unknown role; the only one is \"user\"");
  const auto disabled = fields->Bool("disabled", false);
  if (!disabled) return std::unexpected(disabled.error());

  User user{*username, *hash, *role, *disabled, {}};
  if (Status status = ReadAccounts(*fields, user); !status) return std::unexpected(status.error());
  return user;
}

}  // namespace

std::string_view UserRoleName(UserRole role) {
  switch (role) {
    case UserRole::kUser:
      return "user";
  }
  return "unknown";
}

std::optional<UserRole> ParseUserRole(std::string_view text) {
  if (text == UserRoleName(UserRole::kUser)) return UserRole::kUser;
  return std::nullopt;
}

const protocol::AccountRef* User::AccountAt(std::string_view bank_id) const {
  for (const protocol::AccountRef& account : accounts) {
    if (account.bank_id == bank_id) return &account;
  }
  return nullptr;
}

Result<UserDirectory> UserDirectory::Load(const std::filesystem::path& path) {
  const auto text = ReadFile(path);
  if (!text) return std::unexpected(text.error());
  return Parse(*text, path.string());
}

Result<UserDirectory> UserDirectory::Parse(std::string_view text, const std::string& source) {
  const auto value = ParseStrictJson(text, source);
  if (!value) return std::unexpected(value.error());
  const auto fields = JsonFields::Of(*value, source, {"users"});
  if (!fields) return std::unexpected(fields.error());
  const auto list = fields->Array("users");
  if (!list) return std::unexpected(list.error());

  UserDirectory directory;
  directory.users_.reserve((*list)->size());
  for (const json& entry : **list) {
    const std::string where = source + ": user number " + std::to_string(directory.users_.size() + 1);
    auto user = ReadUser(entry, source, where);
    if (!user) return std::unexpected(user.error());
    directory.users_.push_back(*std::move(user));
  }
  if (Status status = directory.Index(source); !status) return std::unexpected(status.error());
  if (Status status = directory.MakeDecoys(source); !status) return std::unexpected(status.error());
  return directory;
}

Status UserDirectory::Index(const std::string& source) {
  std::map<std::pair<std::string, std::string>, std::string> owners;
  for (std::size_t i = 0; i < users_.size(); ++i) {
    const User& user = users_[i];
    if (!by_name_.emplace(user.username, i).second) {
      return Fail(ErrorCode::kInvalidInput, source + ": user \"" + user.username + "\" is there twice");
    }
    for (const protocol::AccountRef& account : user.accounts) {
      const auto [owner, is_new] = owners.emplace(std::pair(account.bank_id, account.account_id), user.username);
      if (is_new) continue;
      return Fail(ErrorCode::kInvalidInput, source + ": user \"" + user.username + "\" has the account " +
                                                account.bank_id + "/" + account.account_id +
                                                ", which belongs to user \"" + owner->second + "\" already");
    }
  }
  return {};
}

const User* UserDirectory::Find(std::string_view username) const {
  const auto found = by_name_.find(std::string(username));
  return found == by_name_.end() ? nullptr : &users_[found->second];
}

Status UserDirectory::MakeDecoys(const std::string& source) {
  std::vector<PasswordCost> costs;
  for (const User& user : users_) {
    const PasswordCost cost = ReadPasswordCost(user.password_hash).value();
    if (std::ranges::find(costs, cost) == costs.end()) costs.push_back(cost);
  }
  if (costs.empty()) costs.push_back(kDefaultPasswordCost);
  if (costs.size() > limits::kMaxPasswordCosts) {
    return Fail(ErrorCode::kInvalidInput, source + ": the password hashes have " + std::to_string(costs.size()) +
                                              " different costs, and each login pays for all of them; hash some anew "
                                              "with strife users hash");
  }
  for (const PasswordCost& cost : costs) {
    auto decoy = HashPassword(HexEncode(RandomBytes<32>()), cost);
    if (!decoy) return std::unexpected(decoy.error());
    decoys_.push_back({cost, *std::move(decoy)});
  }
  return {};
}

std::vector<const std::string*> UserDirectory::HashesToCheck(const User* user) const {
  std::vector<const std::string*> hashes;
  for (const auto& [cost, decoy] : decoys_) {
    const bool own = user != nullptr && ReadPasswordCost(user->password_hash).value() == cost;
    hashes.push_back(own ? &user->password_hash : &decoy);
  }
  return hashes;
}

const User* UserDirectory::Authenticate(std::string_view username, std::string_view password) const {
  const User* user = Find(username);
  bool right = false;
  for (const std::string* hash : HashesToCheck(user)) right |= VerifyPassword(password, *hash);
  return right && user != nullptr && !user->disabled ? user : nullptr;
}

}  // namespace strife::security
