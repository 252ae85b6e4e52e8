#include "client/delivery.h"

#include <gtest/gtest.h>

namespace strife::client {
namespace {

using protocol::OutboxCall;
using protocol::PaymentRecord;
using protocol::PaymentState;
using rpc::CallError;
using rpc::Delivery;
using Kind = OutboxCall::Kind;
using Result = protocol::DeliveryInput::Result;

CallError Failure(ErrorCode code, Delivery delivery, bool retryable = false) {
  return {.error = {code, "it failed"},
          .delivery = delivery,
          .retryable = retryable,
          .reason_code = "WHY",
          .field = {},
          .prior = {},
          .pushback = {}};
}

Result Of(Kind kind, const CallError& error) { return ToDelivery({kind, {}}, std::unexpected(error)).result; }
Result OfSend(const CallError& error) { return Of(Kind::kSend, error); }

TEST(DeliveryTest, AnAnswerWithAPayment_IsThatPaymentWhateverItsState) {
  PaymentRecord payment;
  payment.state = PaymentState::kAborted;
  payment.reason_code = "AM04";
  const auto input = ToDelivery({Kind::kSend, {}}, payment);
  EXPECT_EQ(input.result, Result::kPayment);
  EXPECT_EQ(input.payment_state, PaymentState::kAborted);
  EXPECT_EQ(input.reason_code, "AM04");
}

// Found by the simulator: the outcome of another payment under the same id was taken for this one's.
TEST(DeliveryTest, QuestionAnsweredWithAnotherPayment_SaysThatThisOneIsNotKnown) {
  OutboxCall question{Kind::kAsk, {}};
  question.order.payer = "ann";
  question.order.amount = {2346, *Currency::Parse("USD")};
  PaymentRecord payment;
  payment.order.amount = question.order.amount;  // without the payer, as it comes from the gateway
  payment.state = PaymentState::kCompleted;
  EXPECT_EQ(ToDelivery(question, payment).result, Result::kPayment);
  payment.order.amount.minor_units = 2347;
  EXPECT_EQ(ToDelivery(question, payment).result, Result::kNotFound);
}

TEST(DeliveryTest, AlreadyExists_IsThePriorOutcomeNotASuccess) {
  CallError error = Failure(ErrorCode::kAlreadyExists, Delivery::kRefused);
  error.prior.emplace().state = PaymentState::kAborted;
  const auto input = ToDelivery({Kind::kSend, {}}, std::unexpected(error));
  EXPECT_EQ(input.result, Result::kPayment);
  EXPECT_EQ(input.payment_state, PaymentState::kAborted);
}

TEST(DeliveryTest, IdOfAnotherPayment_IsRefusedForGood) {
  EXPECT_EQ(OfSend(Failure(ErrorCode::kAlreadyExists, Delivery::kRefused)), Result::kRefused);
}

TEST(DeliveryTest, Failures) {
  EXPECT_EQ(OfSend(Failure(ErrorCode::kUnavailable, Delivery::kNotSent, true)), Result::kNotSent);
  EXPECT_EQ(OfSend(Failure(ErrorCode::kUnknownOutcome, Delivery::kUnknown, true)), Result::kUnknown);
  EXPECT_EQ(OfSend(Failure(ErrorCode::kUnknownOutcome, Delivery::kUnknown, false)), Result::kUnclear);
  EXPECT_EQ(OfSend(Failure(ErrorCode::kResourceExhausted, Delivery::kRefused)), Result::kTurnedAway);
  EXPECT_EQ(OfSend(Failure(ErrorCode::kUnavailable, Delivery::kRefused, true)), Result::kTurnedAway);
  EXPECT_EQ(OfSend(Failure(ErrorCode::kInvalidInput, Delivery::kRefused)), Result::kRefused);
  EXPECT_EQ(OfSend(Failure(ErrorCode::kPermissionDenied, Delivery::kRefused)), Result::kRefused);
}

TEST(DeliveryTest, SessionOver_WhereverItIsNoticed) {
  EXPECT_EQ(OfSend(Failure(ErrorCode::kUnauthenticated, Delivery::kRefused)), Result::kNotAuthenticated);
  EXPECT_EQ(OfSend(Failure(ErrorCode::kUnauthenticated, Delivery::kNotSent)), Result::kNotAuthenticated);
}

TEST(DeliveryTest, NotFound_AnswersAQuestionOnly) {
  const CallError error = Failure(ErrorCode::kNotFound, Delivery::kRefused);
  EXPECT_EQ(Of(Kind::kAsk, error), Result::kNotFound);
  EXPECT_EQ(Of(Kind::kSend, error), Result::kRefused);
}

TEST(DeliveryTest, CancellationRefused_SaysSomethingAboutThePaymentOnlyWhenItCanNeverHaveBeenAccepted) {
  EXPECT_EQ(Of(Kind::kCancel, Failure(ErrorCode::kInvalidInput, Delivery::kRefused)), Result::kRefused);
  CallError reused = Failure(ErrorCode::kAlreadyExists, Delivery::kRefused);
  reused.reason_code = "TRANSACTION_ID_REUSED";
  EXPECT_EQ(Of(Kind::kCancel, reused), Result::kRefused);
  for (const ErrorCode code : {ErrorCode::kPermissionDenied, ErrorCode::kUnavailable, ErrorCode::kNotFound,
                               ErrorCode::kAlreadyExists, ErrorCode::kInternal}) {
    EXPECT_EQ(Of(Kind::kCancel, Failure(code, Delivery::kRefused)), Result::kTurnedAway);
  }
}

TEST(DeliveryTest, PushbackIsPassedOn) {
  CallError error = Failure(ErrorCode::kResourceExhausted, Delivery::kRefused);
  error.pushback = std::chrono::milliseconds(250);
  EXPECT_EQ(ToDelivery({Kind::kSend, {}}, std::unexpected(error)).pushback, std::chrono::milliseconds(250));
}

}  // namespace
}  // namespace strife::client
