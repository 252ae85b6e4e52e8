#include "rpc/token_bucket.h"

#include <gtest/gtest.h>

namespace strife::rpc {
namespace {

using namespace std::chrono_literals;

constexpr Rate kRate{.per_second = 10, .burst = 20};
constexpr MonotonicTime kNow{1h};

TEST(TokenBucketTest, Take_ABurstAndThenTheRate) {
  TokenBucket bucket(kRate);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(bucket.Take(kRate, 1, kNow), 0s);
  EXPECT_EQ(bucket.Take(kRate, 1, kNow), 100ms);
  EXPECT_EQ(bucket.Take(kRate, 1, kNow + 100ms), 0s);
  EXPECT_EQ(bucket.Take(kRate, 1, kNow + 100ms), 100ms);
}

TEST(TokenBucketTest, Take_WhatIsRefusedCostsNothing) {
  TokenBucket bucket(kRate);
  EXPECT_EQ(bucket.Take(kRate, 15, kNow), 0s);
  EXPECT_EQ(bucket.Take(kRate, 15, kNow), 1s);
  EXPECT_EQ(bucket.Take(kRate, 5, kNow), 0s);
}

TEST(TokenBucketTest, Take_FillsNoFurtherThanTheBurstAndNeverBackInTime) {
  TokenBucket bucket(kRate);
  EXPECT_EQ(bucket.Take(kRate, 20, kNow), 0s);
  EXPECT_EQ(bucket.Take(kRate, 1, kNow - 1h), 100ms);
  EXPECT_EQ(bucket.Left(kRate, kNow + 1h), 20);
}

TEST(RateLimiterTest, Take_KeysDoNotShare) {
  RateLimiter limiter(kRate);
  EXPECT_EQ(limiter.Take("a", 20, kNow), 0s);
  EXPECT_GT(limiter.Take("a", 1, kNow), 0s);
  EXPECT_EQ(limiter.Take("b", 20, kNow), 0s);
}

TEST(RateLimiterTest, Take_MoreThanABurst_CountsAsOne) {
  RateLimiter limiter(kRate);
  EXPECT_EQ(limiter.Take("a", 1000, kNow), 0s);
  EXPECT_EQ(limiter.Take("a", 1000, kNow), 2s);
}

TEST(RateLimiterTest, Take_ManyKeys_KeepsNoMoreThanItMay) {
  RateLimiter limiter(kRate);
  EXPECT_EQ(limiter.Take("busy", 20, kNow), 0s);
  for (std::size_t i = 0; i < 2 * limits::kMaxRatedPeers; ++i) {
    // Each is full again by the time there are too many.
    EXPECT_EQ(limiter.Take(std::to_string(i), 1, kNow + std::chrono::microseconds(i)), 0s);
  }
  EXPECT_LE(limiter.size(), limits::kMaxRatedPeers);
}

}  // namespace
}  // namespace strife::rpc
