// The people who may log in, from users.json:
//
//   {"users": [{"username": "user1", "password_hash": "$argon2id$…", "role": "user", "disabled": false,
//               "accounts": [{"bank_id": "bank1", "account_id": "user1"}]}]}
//
// `disabled` and `accounts` may be left out. Everything else is required, and an unknown key is an error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "protocol/types.h"
#include "security/password.h"

namespace strife::security {

// What a user may do; travels in the access token.
enum class UserRole : std::uint8_t { kUser = 1 };

std::string_view UserRoleName(UserRole role);  // "user"
std::optional<UserRole> ParseUserRole(std::string_view text);

struct User {
  std::string username;
  std::string password_hash;  // PHC string, argon2id
  UserRole role = UserRole::kUser;
  bool disabled = false;
  std::vector<protocol::AccountRef> accounts;  // at most one per bank

  // The user's account at a bank; nullptr when there is none.
  const protocol::AccountRef* AccountAt(std::string_view bank_id) const;
};

// An immutable snapshot of users.json: reload by loading another and swapping the pointer. Thread-safe. Pointers it
// hands out live as long as it does.
class UserDirectory {
 public:
  // kInvalidInput with one sentence naming the file and the place or user at fault: malformed JSON, unknown or
  // duplicate keys, a user name twice, two accounts of a user at one bank, an account that two users claim, a hash that
  // is not argon2id, hashes of more than limits::kMaxPasswordCosts different costs. Takes about one Authenticate.
  static Result<UserDirectory> Load(const std::filesystem::path& path);
  // The same for text; `source` is what messages call it.
  static Result<UserDirectory> Parse(std::string_view json, const std::string& source);

  // nullptr when there is no such user. Says nothing about `disabled`.
  const User* Find(std::string_view username) const;

  // The user, if the password is right and the user not disabled, else nullptr. Always costs the same: one argon2id
  // computation of each cost that occurs in the file (tens of milliseconds and the memory of password.h), whether the
  // user exists or not and whichever the cost of her own hash. Call it on a bounded pool, never in an RPC callback.
  const User* Authenticate(std::string_view username, std::string_view password) const;

  // What Authenticate computes for `user`, in this order: the user's own hash among decoys. nullptr: there is none
  // such.
  std::vector<const std::string*> HashesToCheck(const User* user) const;

  const std::vector<User>& users() const { return users_; }

 private:
  UserDirectory() = default;
  Status Index(const std::string& source);
  Status MakeDecoys(const std::string& source);

  std::vector<User> users_;
  std::unordered_map<std::string, std::size_t> by_name_;
  struct Decoy {
    PasswordCost cost;
    std::string hash;  // of nobody's password
  };
  std::vector<Decoy> decoys_;  // one at each cost the users' hashes have
};

}  // namespace strife::security
