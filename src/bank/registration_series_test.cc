#include "bank/registration_series.h"

#include <gtest/gtest.h>

namespace strife::bank {
namespace {

TEST(RegistrationSeries, FirstFailureIsNewsAndTheOthersOfItsSeriesAreNot) {
  RegistrationSeries series;
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(series.Failed(ErrorCode::kUnavailable).news) << "also of a bank that was never registered";
    EXPECT_FALSE(series.Failed(ErrorCode::kUnavailable).news);
    EXPECT_FALSE(series.Failed(ErrorCode::kUnavailable).news);
    EXPECT_FALSE(series.registered());
    EXPECT_TRUE(series.Succeeded());
    EXPECT_FALSE(series.Succeeded());
    EXPECT_TRUE(series.registered());
  }
}

TEST(RegistrationSeries, ToBeRefusedAfterNotBeingHeard_IsNewsOnce) {
  RegistrationSeries series;
  EXPECT_TRUE(series.Failed(ErrorCode::kUnavailable).news);
  EXPECT_TRUE(series.Failed(ErrorCode::kPermissionDenied).news);
  EXPECT_FALSE(series.Failed(ErrorCode::kPermissionDenied).news);
}

TEST(RegistrationSeries, Pauses_GrowUpToTheLast) {
  RegistrationSeries series;
  EXPECT_EQ(series.Failed(ErrorCode::kUnavailable).retry_in, std::chrono::milliseconds(50));
  EXPECT_EQ(series.Failed(ErrorCode::kUnavailable).retry_in, std::chrono::milliseconds(100));
  for (int i = 0; i < 100; ++i) series.Failed(ErrorCode::kUnavailable);
  const auto failure = series.Failed(ErrorCode::kUnavailable);
  EXPECT_EQ(failure.retry_in, std::chrono::seconds(1));
  EXPECT_EQ(failure.in_a_row, 103);
  series.Succeeded();
  EXPECT_EQ(series.Failed(ErrorCode::kUnavailable).in_a_row, 1);
}

}  // namespace
}  // namespace strife::bank
