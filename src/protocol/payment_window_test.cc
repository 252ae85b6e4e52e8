#include "protocol/payment_window.h"

#include <gtest/gtest.h>

#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

using testing::Id;
using testing::milliseconds;

MonotonicTime At(int ms) { return MonotonicTime(milliseconds(ms)); }

PaymentWindow Window() { return PaymentWindow({.most = 2, .usual = milliseconds(100)}); }

TEST(PaymentWindow, HasRoomForWhatIsMissing) {
  PaymentWindow window = Window();
  EXPECT_EQ(window.RoomAt(At(0)).count, 2u);
  window.Begun(Id(1), At(0));
  EXPECT_EQ(window.RoomAt(At(0)).count, 1u);
  window.Begun(Id(2), At(10));
  const auto full = window.RoomAt(At(10));
  EXPECT_EQ(full.count, 0u);
  EXPECT_EQ(full.more_at, At(100));
  window.Ended(Id(2));
  EXPECT_EQ(window.RoomAt(At(20)).count, 1u);
}

TEST(PaymentWindow, WhatTakesLongerThanUsual_MakesRoom) {
  PaymentWindow window = Window();
  window.Begun(Id(1), At(0));
  window.Begun(Id(2), At(10));
  EXPECT_EQ(window.RoomAt(At(99)).count, 0u);
  EXPECT_EQ(window.RoomAt(At(100)).count, 1u);
  window.Ended(Id(1));
  EXPECT_EQ(window.RoomAt(At(100)).count, 1u) << "it made room before";
  EXPECT_EQ(window.RoomAt(At(110)).count, 2u);
}

TEST(PaymentWindow, WithMoreThanItWants_HasNoRoomUntilEnoughHaveEnded) {
  PaymentWindow window = Window();
  for (unsigned char n = 1; n <= 4; ++n) window.Begun(Id(n), At(n));
  EXPECT_EQ(window.RoomAt(At(5)).count, 0u);
  window.Ended(Id(1));
  window.Ended(Id(2));
  const auto full = window.RoomAt(At(6));
  EXPECT_EQ(full.count, 0u);
  EXPECT_EQ(full.more_at, At(103)) << "of those that still count";
  window.Ended(Id(3));
  EXPECT_EQ(window.RoomAt(At(7)).count, 1u);
}

}  // namespace
}  // namespace strife::protocol
