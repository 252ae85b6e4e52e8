#include "gateway/open_payments.h"

#include <gtest/gtest.h>

namespace strife::gateway {
namespace {

using Room = OpenPayments::Room;

TEST(OpenPayments, OneUser_CannotFillTheGateway) {
  OpenPayments open(5, 2);
  EXPECT_EQ(open.Begin("alice"), Room::kTaken);
  EXPECT_EQ(open.Begin("alice"), Room::kTaken);
  EXPECT_EQ(open.Begin("alice"), Room::kNoneForUser);
  EXPECT_EQ(open.Begin("bob"), Room::kTaken);
  EXPECT_EQ(open.size(), 3U) << "what was refused counts";
}

TEST(OpenPayments, WhatHasEnded_MakesRoom) {
  OpenPayments open(5, 1);
  ASSERT_EQ(open.Begin("alice"), Room::kTaken);
  ASSERT_EQ(open.Begin("alice"), Room::kNoneForUser);
  open.End("alice");
  EXPECT_EQ(open.size(), 0U);
  EXPECT_EQ(open.Begin("alice"), Room::kTaken);
}

TEST(OpenPayments, GreedyUsers_LeaveRoomForOthers) {
  OpenPayments open(20, 20);
  for (const char* user : {"alice", "bob", "carol"}) {
    while (open.Begin(user) == Room::kTaken) {  // until there is none
    }
    EXPECT_EQ(open.Begin(user), Room::kNoneForUser);
  }
  EXPECT_EQ(open.size(), 18U) << "10, 5 and 3: no more than was left";
  EXPECT_EQ(open.Begin("dave"), Room::kTaken);
}

TEST(OpenPayments, AllUsersTogether_AreBoundedToo) {
  OpenPayments open(2, 2);
  ASSERT_EQ(open.Begin("alice"), Room::kTaken);
  ASSERT_EQ(open.Begin("bob"), Room::kTaken);
  EXPECT_EQ(open.Begin("carol"), Room::kNone);
  open.End("bob");
  EXPECT_EQ(open.Begin("carol"), Room::kTaken);
}

}  // namespace
}  // namespace strife::gateway
