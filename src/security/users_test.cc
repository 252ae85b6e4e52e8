#include "security/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "security/password.h"
#include "security/strict_json.h"

namespace strife::security {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr PasswordCost kCheap{.memory_kib = 8, .iterations = 1, .lanes = 1};

const std::string& HashOf(const std::string& password) {
  static std::map<std::string, std::string> hashes;
  std::string& hash = hashes[password];
  if (hash.empty()) hash = HashPassword(password, kCheap).value();
  return hash;
}

// One user as JSON text; `more` goes in before the closing brace.
std::string UserJson(const std::string& name, const std::string& more = "") {
  return R"({"username":")" + name + R"(","password_hash":")" + HashOf("secret-" + name) + R"(","role":"user")" + more +
         "}";
}
std::string File(const std::string& users) { return R"({"users":[)" + users + "]}"; }

std::string ErrorOf(const std::string& json) {
  const auto directory = UserDirectory::Parse(json, "users.json");
  return directory ? "" : directory.error().message;
}

TEST(Users, WellFormedFile_GivesUsersAndTheirAccounts) {
  const auto directory = UserDirectory::Parse(
      File(UserJson("alice",
                    R"(,"accounts":[{"bank_id":"bank1","account_id":"a"},{"bank_id":"bank2","account_id":"a"}])") +
           "," + UserJson("bob", R"(,"disabled":true)")),
      "users.json");
  ASSERT_TRUE(directory) << directory.error().message;
  const User* alice = directory->Find("alice");
  ASSERT_NE(alice, nullptr);
  EXPECT_EQ(alice->AccountAt("bank2")->account_id, "a");
  EXPECT_EQ(alice->AccountAt("bank3"), nullptr);
  EXPECT_TRUE(directory->Find("bob")->disabled);
  EXPECT_EQ(directory->Find("carol"), nullptr);
}

TEST(Users, Authenticate_LetsInOnlyTheRightPasswordOfAnEnabledUser) {
  const auto directory =
      UserDirectory::Parse(File(UserJson("alice") + "," + UserJson("bob", R"(,"disabled":true)")), "users.json");
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->Authenticate("alice", "secret-alice"), directory->Find("alice"));
  EXPECT_EQ(directory->Authenticate("alice", "secret-bob"), nullptr);
  EXPECT_EQ(directory->Authenticate("alice", ""), nullptr);
  EXPECT_EQ(directory->Authenticate("bob", "secret-bob"), nullptr);
  EXPECT_EQ(directory->Authenticate("nobody", "secret-alice"), nullptr);
}

TEST(Users, MalformedJson_IsRefusedWithLineAndColumnAndWithoutItsText) {
  const std::string message =
      ErrorOf("{\"users\": [\n  {\"username\": \"a\", \"password_hash\": \"topsecret\" oops}]}");
  EXPECT_THAT(message,
              AllOf(StartsWith("users.json is not valid JSON at line 2, column "), Not(HasSubstr("topsecret"))));
  EXPECT_NE(ErrorOf(""), "");
  EXPECT_NE(ErrorOf("[]"), "");
  EXPECT_NE(ErrorOf("{}"), "");
}

TEST(Users, UnknownKey_IsRefusedNamingUserAndKey) {
  EXPECT_THAT(ErrorOf(File(UserJson("alice", R"(,"admin":true)"))),
              AllOf(HasSubstr("user \"alice\""), HasSubstr("unknown key \"admin\"")));
  EXPECT_THAT(ErrorOf(R"({"users":[],"extra":1})"), HasSubstr("\"extra\""));
  EXPECT_THAT(ErrorOf(File(UserJson("alice", R"(,"accounts":[{"bank_id":"b","account_id":"a","x":1}])"))),
              AllOf(HasSubstr("alice"), HasSubstr("\"x\"")));
}

TEST(Users, SameKeyTwice_IsRefusedNamingItAndItsPlace) {
  EXPECT_THAT(ErrorOf(File(UserJson("alice", R"(,"disabled":true,"disabled":false)"))),
              AllOf(HasSubstr("\"disabled\" twice"), HasSubstr("line 1")));
}

TEST(Users, SameUserTwice_IsRefusedNamingIt) {
  EXPECT_THAT(ErrorOf(File(UserJson("alice") + "," + UserJson("alice"))), HasSubstr("user \"alice\" is there twice"));
}

TEST(Users, TwoAccountsAtOneBank_IsRefused) {
  EXPECT_THAT(ErrorOf(File(UserJson(
                  "alice", R"(,"accounts":[{"bank_id":"b","account_id":"1"},{"bank_id":"b","account_id":"2"}])"))),
              AllOf(HasSubstr("alice"), HasSubstr("two accounts at b")));
}

TEST(Users, AccountOfTwoUsers_IsRefusedNamingBoth) {
  const std::string account = R"(,"accounts":[{"bank_id":"b","account_id":"1"}])";
  EXPECT_THAT(ErrorOf(File(UserJson("alice", account) + "," + UserJson("bob", account))),
              AllOf(HasSubstr("b/1"), HasSubstr("alice"), HasSubstr("bob")));
}

TEST(Users, MissingKeyOrWrongType_IsRefusedNamingUserOrPlace) {
  EXPECT_THAT(ErrorOf(File(R"({"username":"alice","role":"user"})")),
              AllOf(HasSubstr("alice"), HasSubstr("password_hash")));
  EXPECT_THAT(ErrorOf(File(UserJson("alice") + "," + R"({"role":"user"})")), HasSubstr("user number 2"));
  EXPECT_THAT(ErrorOf(File(R"("alice")")), HasSubstr("user number 1"));
  EXPECT_THAT(ErrorOf(File(UserJson("alice", R"(,"disabled":"no")"))), HasSubstr("disabled"));
  EXPECT_THAT(ErrorOf(File(UserJson("alice", R"(,"accounts":{})"))), HasSubstr("accounts"));
}

TEST(Users, BadUserNameRoleOrAccount_IsRefused) {
  EXPECT_THAT(ErrorOf(File(UserJson("al ice"))), HasSubstr("username"));
  EXPECT_THAT(ErrorOf(File(UserJson("alice", R"(,"accounts":[{"bank_id":"b/1","account_id":"1"}])"))),
              HasSubstr("bank_id"));
  std::string admin = UserJson("alice");
  admin.replace(admin.find("\"user\""), 6, "\"root\"");
  EXPECT_THAT(ErrorOf(File(admin)), AllOf(HasSubstr("alice"), HasSubstr("role")));
}

TEST(Users, PasswordHashThatIsNoArgon2id_IsRefusedWithoutRepeatingIt) {
  for (const char* hash : {"hunter2", "$2b$10$abc", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"}) {
    const std::string message =
        ErrorOf(File(std::string(R"({"username":"alice","role":"user","password_hash":")") + hash + "\"}"));
    EXPECT_THAT(message, AllOf(HasSubstr("alice"), HasSubstr("argon2id"), Not(HasSubstr(hash))));
  }
}

TEST(Users, WhateverTheName_ALoginComputesHashesOfTheSameCosts) {
  const auto user_at = [](const std::string& name, const PasswordCost& cost) {
    return R"({"username":")" + name + R"(","role":"user","password_hash":")" + HashPassword(name, cost).value() +
           "\"}";
  };
  const PasswordCost dear{.memory_kib = 64, .iterations = 2, .lanes = 1};
  const auto directory = UserDirectory::Parse(
      File(user_at("cheap", kCheap) + "," + user_at("dear", dear) + "," + user_at("alike", kCheap)), "users.json");
  ASSERT_TRUE(directory) << directory.error().message;
  const auto costs = [&](const char* name) {
    std::vector<std::uint32_t> memory_kib;
    for (const std::string* hash : directory->HashesToCheck(directory->Find(name))) {
      memory_kib.push_back(ReadPasswordCost(*hash).value().memory_kib);
    }
    return memory_kib;
  };
  EXPECT_EQ(costs("nobody").size(), 2u);
  for (const char* name : {"cheap", "dear", "alike"}) EXPECT_EQ(costs(name), costs("nobody")) << name;
  for (const char* name : {"cheap", "dear", "alike"}) {
    EXPECT_EQ(directory->Authenticate(name, name), directory->Find(name));
    EXPECT_EQ(directory->Authenticate(name, "nobody"), nullptr);
  }
}

TEST(Users, HashesOfManyCosts_AreRefused) {
  std::string users;
  for (std::uint32_t i = 0; i < 4; ++i) {
    const PasswordCost cost{.memory_kib = 8 + i, .iterations = 1, .lanes = 1};
    users += (i == 0 ? "" : ",") + (R"({"username":"u)" + std::to_string(i)) + R"(","role":"user","password_hash":")" +
             HashPassword("x", cost).value() + "\"}";
  }
  EXPECT_THAT(ErrorOf(File(users)), HasSubstr("different costs"));
}

TEST(Users, MissingFile_IsNotFound) {
  EXPECT_EQ(UserDirectory::Load("/nonexistent/users.json").error().code, ErrorCode::kNotFound);
}

// ---- Passwords
// -------------------------------------------------------------------------------------------------------

TEST(Password, HashVerifiesItsPasswordOnly) {
  const std::string hash = HashPassword("correct horse", kCheap).value();
  EXPECT_TRUE(VerifyPassword("correct horse", hash));
  EXPECT_FALSE(VerifyPassword("correct hors", hash));
  EXPECT_FALSE(VerifyPassword("", hash));
}

TEST(Password, DefaultHash_IsArgon2idAtTheStatedCostWithAFreshSalt) {
  const std::string one = HashPassword("x").value(), other = HashPassword("x").value();
  EXPECT_THAT(one, StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_NE(one, other);
  EXPECT_EQ(ReadPasswordCost(one).value(), kDefaultPasswordCost);
  EXPECT_TRUE(VerifyPassword("x", one));
}

TEST(Password, EmptyOrOverLongPassword_IsRefused) {
  EXPECT_FALSE(HashPassword("", kCheap));
  EXPECT_FALSE(HashPassword(std::string(1025, 'x'), kCheap));
  EXPECT_TRUE(HashPassword(std::string(1024, 'x'), kCheap));
}

TEST(Password, MalformedOrExtravagantHash_IsRefused) {
  const std::string good = HashPassword("x", kCheap).value();
  const std::string tail = good.substr(good.find("p=1") + 3);
  for (const std::string& bad :
       {std::string(), good + "!", good.substr(0, 40), "$argon2id$v=16$m=8,t=1,p=1" + tail,
        "$argon2id$v=19$m=99999999,t=1,p=1" + tail, "$argon2id$v=19$m=8,t=1000,p=1" + tail,
        "$argon2id$v=19$m=4294967304,t=1,p=1" + tail, "$argon2id$v=19$m=8,t=0,p=1" + tail,
        "$argon2id$v=19$m=8,t=1,p=0" + tail, "$argon2id$v=19$m=-8,t=1,p=1" + tail, good + std::string(300, 'A')}) {
    EXPECT_FALSE(ReadPasswordCost(bad)) << bad;
    EXPECT_FALSE(VerifyPassword("x", bad));
  }
}

// ---- Strict JSON
// -----------------------------------------------------------------------------------------------------

TEST(StrictJson, SameKeyInDifferentObjects_IsFine) {
  EXPECT_TRUE(ParseStrictJson(R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})", "text"));
}

TEST(StrictJson, EscapedDuplicateKey_IsRefused) { EXPECT_FALSE(ParseStrictJson("{\"ab\":1,\"\\u0061b\":2}", "text")); }

TEST(StrictJson, DeepNesting_IsRefused) {
  EXPECT_TRUE(ParseStrictJson(std::string(20, '[') + std::string(20, ']'), "text"));
  EXPECT_FALSE(ParseStrictJson(std::string(100, '[') + std::string(100, ']'), "text"));
  EXPECT_FALSE(ParseStrictJson(std::string(100'000, '['), "text"));
}

}  // namespace
}  // namespace strife::security
