#include "protocol/trace_context.h"

#include <gtest/gtest.h>

#include <set>

#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

using testing::Id;

constexpr char kGood[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Traceparent, GoesRound) {
  const auto context = ParseTraceparent(kGood);
  ASSERT_TRUE(context);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(TraceIdText(*context), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(ToTraceparent(*context), kGood);
}

TEST(Traceparent, WhatTheRecommendationCallsInvalid_IsNone) {
  for (const char* text : {
           "", "00",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",       // no flags
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",     // half of them
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",    // no digit
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",    // upper case
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",    // no trace
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",    // no parent
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",    // no version
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",  // more than version 00 has
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",   //
           " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",   //
           "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",    // other separators
           "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",   // a later version that runs on
           "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",    // a separator too early
       }) {
    EXPECT_FALSE(ParseTraceparent(text)) << text;
  }
  EXPECT_FALSE(ParseTraceparent(std::string(55, '\0')));
  const std::string later = "42" + std::string(kGood + 2);
  EXPECT_FALSE(ParseTraceparent(std::string_view(later).substr(0, later.size() - 1)))
      << "what lies after it is not part of it";
}

TEST(Traceparent, OfALaterVersion_IsReadAsFarAsItIsTheSame) {
  const auto context = ParseTraceparent("42-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-is-new");
  ASSERT_TRUE(context);
  EXPECT_EQ(ToTraceparent(*context), kGood);
}

TEST(Traceparent, FlagsThatHaveNoMeaning_AreNotSentOn) {
  const auto context = ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe");
  ASSERT_TRUE(context);
  EXPECT_TRUE(ToTraceparent(*context).ends_with("-00"));
}

TEST(NextHop, KeepsTheTraceAndHasAParentOfItsOwn) {
  const auto context = *ParseTraceparent(kGood);
  std::set<std::string> parents = {ToTraceparent(context)};
  for (std::uint8_t n = 1; n <= 20; ++n) {
    for (const std::uint64_t epoch : {1u, 2u}) {
      const TraceContext next = NextHop(context, Id(n), epoch);
      EXPECT_EQ(next.trace_id, context.trace_id);
      EXPECT_EQ(next.sampled, context.sampled);
      EXPECT_EQ(ParseTraceparent(ToTraceparent(next)), next);
      EXPECT_TRUE(parents.insert(ToTraceparent(next)).second) << "payment " << int{n} << " epoch " << epoch;
    }
  }
}

}  // namespace
}  // namespace strife::protocol
