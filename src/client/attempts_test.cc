#include "client/attempts.h"

#include <gtest/gtest.h>

namespace strife::client {
namespace {

using rpc::CallError;
using rpc::Delivery;
using std::chrono::seconds;

CallError Failure(ErrorCode code, Delivery delivery, bool retryable) {
  return {.error = {code, "it failed"},
          .delivery = delivery,
          .retryable = retryable,
          .reason_code = {},
          .field = {},
          .prior = {},
          .pushback = {}};
}

CallError NoConnection() { return Failure(ErrorCode::kUnavailable, Delivery::kNotSent, true); }
CallError BrokenConnection() { return Failure(ErrorCode::kUnknownOutcome, Delivery::kUnknown, true); }
CallError Overload() { return Failure(ErrorCode::kResourceExhausted, Delivery::kRefused, true); }
CallError BadAmount() { return Failure(ErrorCode::kInvalidInput, Delivery::kRefused, false); }

TEST(AttemptsTest, Delays_DoubleAndEnd) {
  Attempts attempts(3, seconds(3));
  EXPECT_EQ(attempts.AfterFailure(NoConnection(), 0.5), seconds(3));
  EXPECT_EQ(attempts.AfterFailure(NoConnection(), 0.5), seconds(6));
  EXPECT_EQ(attempts.AfterFailure(NoConnection(), 0.5), seconds(12));
  EXPECT_EQ(attempts.AfterFailure(NoConnection(), 0.5), std::nullopt);
  EXPECT_EQ(attempts.made(), 4);
}

TEST(AttemptsTest, Delays_NeverPassAMinute) {
  Attempts attempts(100, seconds(50));
  for (int i = 0; i < 20; ++i) EXPECT_LE(*attempts.AfterFailure(NoConnection(), 0.99), seconds(60));
}

TEST(AttemptsTest, Jitter_SpreadsAroundTheDelay) {
  EXPECT_EQ(Attempts(1, seconds(10)).AfterFailure(NoConnection(), 0.0), seconds(8));
  EXPECT_EQ(Attempts(1, seconds(10)).AfterFailure(NoConnection(), 0.5), seconds(10));
}

TEST(AttemptsTest, RefusedForGood_IsNotTriedAgain) {
  EXPECT_EQ(Attempts(3, seconds(3)).AfterFailure(BadAmount(), 0.5), std::nullopt);
}

TEST(AttemptsTest, Pushback_BeatsTheDelayAndNegativeStops) {
  CallError error = Overload();
  error.pushback = std::chrono::milliseconds(250);
  EXPECT_EQ(Attempts(3, seconds(3)).AfterFailure(error, 0.5), std::chrono::milliseconds(250));
  error.pushback = std::chrono::milliseconds(-1);
  EXPECT_EQ(Attempts(3, seconds(3)).AfterFailure(error, 0.5), std::nullopt);
}

TEST(AttemptsTest, NeverSent_StaysNeverSent) {
  Attempts attempts(1, seconds(3));
  attempts.AfterFailure(NoConnection(), 0.5);
  attempts.AfterFailure(NoConnection(), 0.5);
  EXPECT_EQ(attempts.Conclude(NoConnection()).delivery, Delivery::kNotSent);
}

TEST(AttemptsTest, OnceItMayHaveArrived_NoConnectionLaterDoesNotMakeItUnsent) {
  Attempts attempts(2, seconds(3));
  attempts.AfterFailure(BrokenConnection(), 0.5);
  attempts.AfterFailure(NoConnection(), 0.5);
  CallError end = attempts.Conclude(NoConnection());
  EXPECT_EQ(end.delivery, Delivery::kUnknown);
  EXPECT_EQ(end.error.code, ErrorCode::kUnknownOutcome);
}

TEST(AttemptsTest, OnceItMayHaveArrived_BeingTurnedAwayLaterDoesNotSettleIt) {
  Attempts attempts(2, seconds(3));
  attempts.AfterFailure(BrokenConnection(), 0.5);
  EXPECT_EQ(attempts.Conclude(Overload()).error.code, ErrorCode::kUnknownOutcome);
  CallError logged_out = Failure(ErrorCode::kUnauthenticated, Delivery::kRefused, false);
  EXPECT_EQ(attempts.Conclude(logged_out).error.code, ErrorCode::kUnknownOutcome);
  CallError not_yours_any_more = Failure(ErrorCode::kPermissionDenied, Delivery::kRefused, false);
  EXPECT_EQ(attempts.Conclude(not_yours_any_more).error.code, ErrorCode::kUnknownOutcome);
}

TEST(AttemptsTest, OnceItMayHaveArrived_AnAnswerAboutTheRequestItselfSettlesIt) {
  Attempts attempts(2, seconds(3));
  attempts.AfterFailure(BrokenConnection(), 0.5);
  EXPECT_EQ(attempts.Conclude(BadAmount()).delivery, Delivery::kRefused);
}

TEST(AttemptsTest, AfterEarlierAttempt_OnlyAnAnswerAboutTheRequestItselfSettlesIt) {
  EXPECT_EQ(AfterEarlierAttempt(NoConnection()).delivery, Delivery::kUnknown);
  EXPECT_EQ(AfterEarlierAttempt(Overload()).delivery, Delivery::kUnknown);
  EXPECT_EQ(AfterEarlierAttempt(BadAmount()).delivery, Delivery::kRefused);
}

}  // namespace
}  // namespace strife::client
