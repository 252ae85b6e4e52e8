#include "bank/bank_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace strife::bank {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string ErrorOf(std::string_view json) {
  const auto accounts = ParseBankData(json, "bank_data.json");
  return accounts ? "" : accounts.error().message;
}

TEST(BankData, WellFormedFile_GivesAccountsInFileOrder) {
  const auto accounts = ParseBankData(R"({"accounts": [
      {"account_id": "user2", "currency": "USD", "balance": "10000.00"},
      {"account_id": "user1", "currency": "JPY", "balance": "0"}]})",
                                      "bank_data.json");
  ASSERT_TRUE(accounts) << accounts.error().message;
  ASSERT_EQ(accounts->size(), 2u);
  EXPECT_EQ((*accounts)[0], (OpeningAccount{"user2", {1'000'000, *Currency::Parse("USD")}}));
  EXPECT_EQ((*accounts)[1], (OpeningAccount{"user1", {0, *Currency::Parse("JPY")}}));
}

TEST(BankData, MalformedJson_IsRefusedWithLineAndColumn) {
  EXPECT_THAT(ErrorOf("{\"accounts\": [\n  {\"account_id\": }]}"),
              AllOf(HasSubstr("bank_data.json"), HasSubstr("line 2, column 18")));
}

TEST(BankData, UnknownKey_IsRefusedNamingAccountAndKey) {
  EXPECT_THAT(ErrorOf(R"({"accounts":[{"account_id":"a","currency":"USD","balance":"1","held":"1"}]})"),
              AllOf(HasSubstr("account \"a\""), HasSubstr("\"held\"")));
}

TEST(BankData, SameAccountTwice_IsRefusedNamingIt) {
  EXPECT_THAT(ErrorOf(R"({"accounts":[{"account_id":"a","currency":"USD","balance":"1"},
                                      {"account_id":"a","currency":"EUR","balance":"1"}]})"),
              HasSubstr("account \"a\" is there twice"));
}

TEST(BankData, SameKeyTwice_IsRefusedNamingTheKey) {
  EXPECT_THAT(ErrorOf(R"({"accounts":[{"account_id":"a","currency":"USD","balance":"1","balance":"2"}]})"),
              HasSubstr("\"balance\" twice"));
}

TEST(BankData, BalanceThatIsNegativeANumberOrTooPrecise_IsRefused) {
  for (const char* balance : {"\"-1.00\"", "1.00", "\"1.001\"", "\"nan\"", "\"\"", "\"99999999999999999999\""}) {
    const std::string json =
        std::string(R"({"accounts":[{"account_id":"a","currency":"USD","balance":)") + balance + "}]}";
    EXPECT_THAT(ErrorOf(json), HasSubstr("balance")) << balance;
  }
}

TEST(BankData, BalanceThatNoAccountMayBeOpenedWith_IsRefusedNamingAccountAndLimit) {
  const auto file = [](const std::string& balance) {
    return R"({"accounts":[{"account_id":"a","currency":"USD","balance":")" + balance + R"("}]})";
  };
  EXPECT_EQ(ErrorOf(file("10000000000000.00")), "");
  for (const char* balance : {"10000000000000.01", "20000000000000.00", "92233720368547758.07"}) {
    EXPECT_THAT(ErrorOf(file(balance)), AllOf(HasSubstr("bank_data.json: account \"a\""), HasSubstr(balance),
                                              HasSubstr("10000000000000.00 USD")));
  }
}

TEST(BankData, BalancesThatTogetherAreMoreThanTheBooksHold_AreRefusedNamingTheLimit) {
  std::string list;
  const auto add = [&](const std::string& id, const std::string& currency, const std::string& balance) {
    if (!list.empty()) list += ',';
    list += R"({"account_id":")" + id + R"(","currency":")" + currency + R"(","balance":")" + balance + "\"}";
    return R"({"accounts":[)" + list + "]}";
  };
  for (int i = 0; i < 1000; ++i) add("a" + std::to_string(i), "USD", "10000000000000.00");
  EXPECT_EQ(ErrorOf(add("yen", "JPY", "1000000000000000")), "") << "each currency by itself";
  EXPECT_THAT(ErrorOf(add("last", "USD", "0.01")),
              AllOf(HasSubstr("bank_data.json: with account \"last\""), HasSubstr("10000000000000000.01 USD"),
                    HasSubstr("10000000000000000.00 USD")));
}

TEST(BankData, UnknownCurrencyOrBadAccountId_IsRefused) {
  EXPECT_THAT(ErrorOf(R"({"accounts":[{"account_id":"a","currency":"usd","balance":"1"}]})"), HasSubstr("currency"));
  EXPECT_THAT(ErrorOf(R"({"accounts":[{"account_id":"clearing:USD","currency":"USD","balance":"1"}]})"),
              HasSubstr("account_id"));
}

TEST(BankData, MissingFile_IsNotFoundNamingIt) {
  const auto accounts = LoadBankData("/nonexistent/bank_data.json");
  ASSERT_FALSE(accounts);
  EXPECT_EQ(accounts.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(accounts.error().message, HasSubstr("/nonexistent/bank_data.json"));
}

}  // namespace
}  // namespace strife::bank
