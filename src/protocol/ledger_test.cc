#include "protocol/ledger.h"

#include <gtest/gtest.h>

#include <limits>

#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

AccountRecord Customer(std::string id, std::int64_t posted) {
  AccountRecord account = EmptyAccount(std::move(id), AccountKind::kCustomer, testing::Usd(0).currency);
  account.posted = posted;
  return account;
}

AccountRecord Clearing(std::int64_t posted) {
  AccountRecord account = EmptyAccount("clearing:USD", AccountKind::kClearing, testing::Usd(0).currency);
  account.posted = posted;
  return account;
}

TEST(Ledger, Reserve_CountsWhatIsHeldAlready) {
  AccountRecord from = Customer("x", 100);
  AccountRecord to = Clearing(0);
  EXPECT_EQ(Reserve(from, to, 60), std::nullopt);
  EXPECT_EQ(Reserve(from, to, 41), LedgerRefusal::kInsufficientFunds);
  EXPECT_EQ(Reserve(from, to, 40), std::nullopt);
  EXPECT_EQ(from.held, 100);
  EXPECT_EQ(to.incoming, 100);
  EXPECT_EQ(from.posted, 100);
}

TEST(Ledger, Reserve_RefusedChangesNothing) {
  AccountRecord from = Customer("x", 10);
  AccountRecord to = Clearing(kMax - 5);
  const AccountRecord from_before = from;
  const AccountRecord to_before = to;
  EXPECT_EQ(Reserve(from, to, 11), LedgerRefusal::kOverflow);
  EXPECT_EQ(Reserve(from, to, 6), LedgerRefusal::kOverflow);
  EXPECT_EQ(from, from_before);
  EXPECT_EQ(to, to_before);
}

TEST(Ledger, Reserve_WhatIsOnItsWayCannotOverflowWhenItArrives) {
  AccountRecord from = Clearing(0);
  AccountRecord to = Customer("x", kMax - 10);
  EXPECT_EQ(Reserve(from, to, 6), std::nullopt);
  EXPECT_EQ(Reserve(from, to, 6), LedgerRefusal::kOverflow);
  Post(from, to, 6);
  EXPECT_EQ(to.posted, kMax - 4);
}

TEST(Ledger, Reserve_TheBanksOwnAccountGoesBelowZeroButNotBelowTheSmallestNumber) {
  AccountRecord from = Clearing(kMin + 10);
  AccountRecord to = Customer("x", 0);
  EXPECT_EQ(Reserve(from, to, 10), std::nullopt);
  EXPECT_EQ(Reserve(from, to, 1), LedgerRefusal::kOverflow);
}

TEST(Ledger, PostMovesAndReleaseGivesBack) {
  AccountRecord from = Customer("x", 100);
  AccountRecord to = Clearing(-5);
  ASSERT_EQ(Reserve(from, to, 30), std::nullopt);
  ASSERT_EQ(Reserve(from, to, 20), std::nullopt);
  Post(from, to, 30);
  Release(from, to, 20);
  EXPECT_EQ(from.posted, 70);
  EXPECT_EQ(to.posted, 25);
  EXPECT_EQ(from.held, 0);
  EXPECT_EQ(to.incoming, 0);
}

TEST(LedgerDeathTest, ReleasingTwiceIsABug) {
  AccountRecord from = Customer("x", 100);
  AccountRecord to = Clearing(0);
  ASSERT_EQ(Reserve(from, to, 30), std::nullopt);
  Release(from, to, 30);
  EXPECT_DEATH(Release(from, to, 30), "held");
}

}  // namespace
}  // namespace strife::protocol
