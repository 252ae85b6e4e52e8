#include "cli/histogram.h"

#include <gtest/gtest.h>

namespace strife::cli {
namespace {

TEST(HistogramTest, Percentiles_AreWithinTwoPercent) {
  Histogram histogram;
  for (int us = 1; us <= 100'000; ++us) histogram.Add(Duration(us));
  for (double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    double exact = share * 100'000;
    auto found = static_cast<double>(histogram.Percentile(share).count());
    EXPECT_GE(found, exact * 0.999) << share;
    EXPECT_LE(found, exact * 1.02) << share;
  }
  EXPECT_EQ(histogram.max(), Duration(100'000));
  EXPECT_EQ(histogram.Percentile(1.0), Duration(100'000));
}

TEST(HistogramTest, Merge_IsTheSameAsAddingAll) {
  Histogram a, b, all;
  for (int us = 0; us < 1000; ++us) {
    (us % 3 == 0 ? a : b).Add(Duration(us * us));
    all.Add(Duration(us * us));
  }
  a.Merge(b);
  EXPECT_EQ(a.count(), all.count());
  EXPECT_EQ(a.Percentile(0.9), all.Percentile(0.9));
}

TEST(HistogramTest, Extremes_AreKept) {
  Histogram histogram;
  EXPECT_EQ(histogram.Percentile(0.5), Duration(0));
  histogram.Add(Duration(-5));
  histogram.Add(std::chrono::hours(24 * 365));
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.max(), std::chrono::hours(24 * 365));
}

}  // namespace
}  // namespace strife::cli
