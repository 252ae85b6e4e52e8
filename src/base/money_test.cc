#include "base/money.h"

#include <gtest/gtest.h>

#include <limits>

namespace strife {
namespace {

Currency Usd() { return *Currency::Parse("USD"); }

TEST(Currency, KnowsDecimalsOfIso4217AndRefusesTheRest) {
  EXPECT_EQ(Currency::Parse("USD")->exponent(), 2);
  EXPECT_EQ(Currency::Parse("JPY")->exponent(), 0);
  EXPECT_EQ(Currency::Parse("BHD")->exponent(), 3);
  for (const char* bad : {"", "US", "USDX", "usd", "XXX", "SD ", " US", "D A"})
    EXPECT_FALSE(Currency::Parse(bad)) << bad;
}

TEST(ParseAmount, ReadsWholeAndFractionalAmounts) {
  EXPECT_EQ(ParseAmount("12.50", Usd())->minor_units, 1250);
  EXPECT_EQ(ParseAmount("12.5", Usd())->minor_units, 1250);
  EXPECT_EQ(ParseAmount("12", Usd())->minor_units, 1200);
  EXPECT_EQ(ParseAmount("0.01", Usd())->minor_units, 1);
  EXPECT_EQ(ParseAmount("12", *Currency::Parse("JPY"))->minor_units, 12);
  EXPECT_EQ(ParseAmount("92233720368547758.07", Usd())->minor_units, std::numeric_limits<std::int64_t>::max());
}

TEST(ParseAmount, RefusesEverythingElse) {
  for (const char* bad : {"", ".", "1.", ".5", "-1", "+1", "1e3", "nan", "inf", "1,000", " 1", "1 ", "0x10", "1.2.3",
                          "12.345", "92233720368547758.08", "99999999999999999999"}) {
    EXPECT_FALSE(ParseAmount(bad, Usd())) << bad;
  }
  EXPECT_FALSE(ParseAmount("1.0", *Currency::Parse("JPY")));
}

TEST(FormatAmount, ShowsAllDecimalsAndNegatives) {
  EXPECT_EQ(FormatAmount({1250, Usd()}), "12.50");
  EXPECT_EQ(FormatAmount({5, Usd()}), "0.05");
  EXPECT_EQ(FormatAmount({-5, Usd()}), "-0.05");
  EXPECT_EQ(FormatAmount({12, *Currency::Parse("JPY")}), "12");
  EXPECT_EQ(FormatAmount({std::numeric_limits<std::int64_t>::min(), Usd()}), "-92233720368547758.08");
}

TEST(CheckedArithmetic, OverflowIsNoValue) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(CheckedAdd(kMax - 1, 1), kMax);
  EXPECT_FALSE(CheckedAdd(kMax, 1));
  EXPECT_FALSE(CheckedSubtract(-kMax, 2));
}

}  // namespace
}  // namespace strife
