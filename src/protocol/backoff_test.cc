#include "protocol/backoff.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "protocol/deadlines.h"
#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

using testing::Id;
using testing::milliseconds;

constexpr Backoff kBackoff{milliseconds(100), milliseconds(5000)};

TEST(Backoff, DoublesUpToTheCapWithinAQuarter) {
  for (std::uint8_t n = 0; n < 100; ++n) {
    std::int64_t expected_ms = 100;
    for (std::uint32_t attempt = 1; attempt < 12; ++attempt) {
      const Duration delay = kBackoff.Delay(Id(n), attempt);
      EXPECT_GE(delay, milliseconds(expected_ms) * 3 / 4);
      EXPECT_LE(delay, milliseconds(expected_ms) * 5 / 4);
      expected_ms = std::min<std::int64_t>(2 * expected_ms, 5000);
    }
  }
}

TEST(Backoff, StaysCappedForEver) {
  const Duration delay = kBackoff.Delay(Id(1), std::numeric_limits<std::uint32_t>::max());
  EXPECT_GE(delay, milliseconds(3750));
  EXPECT_LE(delay, milliseconds(6250));
}

TEST(Backoff, SpreadsIdsButIsAFunctionOfThem) {
  std::set<Duration> delays;
  for (std::uint8_t n = 0; n < 50; ++n) delays.insert(kBackoff.Delay(Id(n), 5));
  EXPECT_GT(delays.size(), 20u);
  EXPECT_EQ(kBackoff.Delay(Id(7), 3), kBackoff.Delay(Id(7), 3));
}

TEST(Deadlines, ComeOutSoonestFirstAndOnlyWhenDue) {
  const MonotonicTime start{};
  Deadlines deadlines;
  EXPECT_EQ(deadlines.Next(), std::nullopt);
  deadlines.Add(start + milliseconds(20), Id(2));
  deadlines.Add(start + milliseconds(10), Id(1));
  deadlines.Add(start + milliseconds(30), Id(3));
  EXPECT_EQ(deadlines.Next(), start + milliseconds(10));
  EXPECT_EQ(deadlines.PopDue(start + milliseconds(20)), Id(1));
  EXPECT_EQ(deadlines.PopDue(start + milliseconds(20)), Id(2));
  EXPECT_EQ(deadlines.PopDue(start + milliseconds(20)), std::nullopt);
  EXPECT_EQ(deadlines.Next(), start + milliseconds(30));
}

}  // namespace
}  // namespace strife::protocol
