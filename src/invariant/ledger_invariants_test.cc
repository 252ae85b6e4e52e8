#include "invariant/ledger_invariants.h"

#include <gtest/gtest.h>

#include <limits>

namespace strife::invariant {
namespace {

protocol::AccountRecord Account(std::int64_t posted, std::int64_t held, std::int64_t incoming) {
  protocol::AccountRecord account;
  account.account_id = "A";
  account.posted = posted;
  account.held = held;
  account.incoming = incoming;
  return account;
}

TEST(Balance, MustBeTheSumOfTheEntries) {
  Violations found;
  CheckBalance("bank1", Account(5, 0, 0), {5, 0, 0}, found);
  EXPECT_TRUE(found.empty());
  CheckBalance("bank1", Account(5, 0, 0), {4, 0, 0}, found);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].invariant, kBalances);
  EXPECT_EQ(found[0].account_id, "A");
  EXPECT_EQ(found[0].bank_id, "bank1");
}

TEST(Holds, MustBeWhatIsPreparedOnBothSides) {
  Violations found;
  CheckHolds("bank1", Account(9, 3, 2), {9, 3, 2}, found);
  EXPECT_TRUE(found.empty());
  CheckHolds("bank1", Account(9, 3, 2), {9, 2, 2}, found);
  CheckHolds("bank1", Account(9, 3, 2), {9, 3, 3}, found);
  EXPECT_EQ(found.size(), 2u);
}

TEST(NoOverdraft, CountsHoldsAndOnlyCustomers) {
  Violations found;
  CheckNoOverdraft("bank1", Account(5, 5, 0), found);
  auto clearing = Account(-5, 5, 0);
  clearing.kind = protocol::AccountKind::kClearing;
  CheckNoOverdraft("bank1", clearing, found);
  EXPECT_TRUE(found.empty());
  CheckNoOverdraft("bank1", Account(5, 6, 0), found);
  CheckNoOverdraft("bank1", Account(5, -1, 0), found);
  CheckNoOverdraft("bank1", Account(std::numeric_limits<std::int64_t>::min(), 1, 0), found);
  EXPECT_EQ(found.size(), 3u);
}

TEST(Conservation, DebitsEqualCreditsAndClearingIsZero) {
  Violations found;
  CheckDebitsEqualCredits("bank1", *Currency::Parse("USD"), 7, 7, found);
  CheckClearing(*Currency::Parse("USD"), 0, 0, found);
  CheckClearing(*Currency::Parse("USD"), 7, 7, found);
  EXPECT_TRUE(found.empty());
  CheckDebitsEqualCredits("bank1", *Currency::Parse("USD"), 7, 8, found);
  CheckClearing(*Currency::Parse("USD"), -1, 0, found);
  EXPECT_EQ(found.size(), 2u);
}

TEST(WideAmount, PrintsBeyond64Bits) {
  EXPECT_EQ(ToString(0), "0");
  EXPECT_EQ(ToString(-12), "-12");
  EXPECT_EQ(ToString(WideAmount{std::numeric_limits<std::int64_t>::max()} * 10), "92233720368547758070");
  EXPECT_EQ(ToString(WideAmount{std::numeric_limits<std::int64_t>::min()} * 10), "-92233720368547758080");
}

}  // namespace
}  // namespace strife::invariant
