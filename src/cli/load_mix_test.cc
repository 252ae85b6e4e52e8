#include "cli/load_mix.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "cli/arrivals.h"

namespace strife::cli {
namespace {

using protocol::AccountRef;
using protocol::PaymentOrder;

constexpr int kCalls = 4000;

// As strife init makes them: user k at bank k mod n and at the next.
std::vector<std::vector<AccountRef>> Accounts(int users, int banks) {
  std::vector<std::vector<AccountRef>> accounts;
  for (int user = 0; user < users; ++user) {
    const std::string name = "user" + std::to_string(user);
    accounts.push_back(
        {{"bank" + std::to_string(user % banks + 1), name}, {"bank" + std::to_string((user + 1) % banks + 1), name}});
  }
  return accounts;
}

MixOptions Options() { return {.currency = *Currency::Parse("USD")}; }

std::vector<PaymentOrder> Draw(const LoadMix& mix, int calls) {
  LoadMix::Random random(7);
  std::vector<PaymentOrder> all, orders;
  for (int i = 0; i < calls; ++i) {
    mix.NextPayments(random, 1'700'000'000'000, &orders);
    all.insert(all.end(), orders.begin(), orders.end());
  }
  return all;
}

double ShareOf(const std::vector<PaymentOrder>& orders, const std::function<bool(const PaymentOrder&)>& what) {
  return static_cast<double>(std::ranges::count_if(orders, what)) / static_cast<double>(orders.size());
}

bool WithinBank(const PaymentOrder& order) { return order.from.bank_id == order.to.bank_id; }

TEST(LoadMixTest, Payments_CrossBanks_BetweenDifferentUsers_WithIdsOfTheirOwn) {
  const auto mix = LoadMix::Create(Accounts(8, 3), Options());
  ASSERT_TRUE(mix);
  std::set<Uuid> ids;
  std::set<std::string> payees;
  for (const PaymentOrder& order : Draw(*mix, kCalls)) {
    EXPECT_FALSE(WithinBank(order));
    EXPECT_NE(order.from.account_id, order.to.account_id);
    ids.insert(order.id);
    payees.insert(order.to.bank_id + order.to.account_id);
  }
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kCalls));
  EXPECT_EQ(payees.size(), 16u) << "not everybody is paid";
}

TEST(LoadMixTest, OneBank_IsTheShareOfCallsWithinABank) {
  MixOptions options = Options();
  options.one_bank = 0.3;
  const auto mix = LoadMix::Create(Accounts(8, 3), options);
  ASSERT_TRUE(mix);
  EXPECT_NEAR(ShareOf(Draw(*mix, kCalls), WithinBank), 0.3, 0.03);
}

TEST(LoadMixTest, Hot_IsTheShareOfPaymentsToTheFirstAccount) {
  MixOptions options = Options();
  options.hot = 0.6;
  const auto mix = LoadMix::Create(Accounts(200, 3), options);
  ASSERT_TRUE(mix);
  const AccountRef first = {"bank1", "user0"};
  EXPECT_NEAR(ShareOf(Draw(*mix, kCalls), [&](const auto& order) { return order.to == first; }), 0.6, 0.03);
}

TEST(LoadMixTest, Reads_AreTheirShareOfCalls) {
  MixOptions options = Options();
  options.reads = 0.25;
  const auto mix = LoadMix::Create(Accounts(8, 3), options);
  ASSERT_TRUE(mix);
  LoadMix::Random random(3);
  int reads = 0;
  for (int i = 0; i < kCalls; ++i) reads += mix->NextIsRead(random) ? 1 : 0;
  EXPECT_NEAR(reads, kCalls / 4, kCalls / 30);
}

TEST(LoadMixTest, Batch_IsPaidByOneUser_ToMany) {
  MixOptions options = Options();
  options.batch = 256;
  const auto mix = LoadMix::Create(Accounts(8, 3), options);
  ASSERT_TRUE(mix);
  LoadMix::Random random(5);
  std::vector<PaymentOrder> orders;
  const std::size_t user = mix->NextPayments(random, 1, &orders);
  ASSERT_EQ(orders.size(), 256u);
  std::set<std::string> payees;
  for (const PaymentOrder& order : orders) {
    EXPECT_EQ(order.from.account_id, "user" + std::to_string(user));
    payees.insert(order.to.account_id);
  }
  EXPECT_GT(payees.size(), 3u);
}

TEST(LoadMixTest, Banks_LeavesTheOthersAlone) {
  MixOptions options = Options();
  options.banks = 2;
  const auto mix = LoadMix::Create(Accounts(30, 12), options);
  ASSERT_TRUE(mix);
  EXPECT_EQ(mix->bank_count(), 2u);
  for (const PaymentOrder& order : Draw(*mix, 100)) {
    EXPECT_THAT(order.from.bank_id, testing::AnyOf("bank1", "bank2"));
    EXPECT_THAT(order.to.bank_id, testing::AnyOf("bank1", "bank2"));
  }
}

TEST(LoadMixTest, OtherPayees_AreAccountsOfFilledBooks) {
  MixOptions options = Options();
  options.other_payees = 5;
  const auto mix = LoadMix::Create(Accounts(8, 3), options);
  ASSERT_TRUE(mix);
  std::set<std::string> payees;
  for (const PaymentOrder& order : Draw(*mix, 300)) {
    EXPECT_FALSE(WithinBank(order));
    payees.insert(order.to.account_id);
  }
  EXPECT_THAT(payees, testing::ElementsAre("account-0", "account-1", "account-2", "account-3", "account-4"));
}

TEST(LoadMixTest, WhatNobodyCouldPay_IsRefused) {
  EXPECT_FALSE(LoadMix::Create(Accounts(1, 3), Options())) << "one user";
  MixOptions one_bank_of_three = Options();
  one_bank_of_three.banks = 1;
  EXPECT_FALSE(LoadMix::Create(Accounts(8, 3), one_bank_of_three));
  MixOptions within = Options();
  within.one_bank = 1;
  EXPECT_FALSE(LoadMix::Create({{{"bank1", "a"}}, {{"bank2", "b"}}}, within)) << "no two users at one bank";
}

TEST(ArrivalsTest, ComeAtTheRate_InOrder_AndByChance) {
  Arrivals arrivals(2000, 11);
  Duration before{}, at{};
  int short_gaps = 0;
  constexpr int kArrivals = 20'000;
  for (int i = 0; i < kArrivals; ++i) {
    at = arrivals.Next();
    ASSERT_GE(at, before);
    if (at - before < Duration(250)) ++short_gaps;  // half the mean
    before = at;
  }
  EXPECT_NEAR(static_cast<double>(at.count()), 10e6, 0.2e6);
  // Of exponential gaps 1 - exp(-1/2) are shorter than half the mean.
  EXPECT_NEAR(short_gaps, kArrivals * 0.393, kArrivals * 0.02);
}

}  // namespace
}  // namespace strife::cli
