// Payments that their users give up: what is not known yet is never made.
#include <gtest/gtest.h>

#include "protocol/coordinator.h"
#include "protocol/reason.h"
#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

using testing::Id;
using testing::OnlyAnswer;
using testing::Order;
using testing::Sent;
using testing::TestGateway;

const Uuid kX = Id(1);

SubmitInput Cancel(const PaymentOrder& order) {
  SubmitInput input{{9, 0}, order};
  input.cancel = true;
  return input;
}

TEST(CoordinatorCancel, UnknownPayment_IsRecordedAsAbortedAndNeverBegins) {
  TestGateway gateway;
  const auto cancelled = gateway.Step({Cancel(Order(kX))});
  EXPECT_EQ(OnlyAnswer(cancelled).outcome, SubmitOutcome::kEnded);
  EXPECT_EQ(OnlyAnswer(cancelled).payment.state, PaymentState::kAborted);
  EXPECT_EQ(OnlyAnswer(cancelled).payment.reason_code, reason::kOrderCancelled);
  ASSERT_EQ(cancelled.payments.size(), 1u);
  EXPECT_EQ(cancelled.payments[0].order, Order(kX));
  gateway.Restart();
  const auto late = gateway.Submit(Order(kX));
  EXPECT_EQ(Sent(late), "");
  EXPECT_EQ(OnlyAnswer(late).outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(OnlyAnswer(late).payment.reason_code, reason::kOrderCancelled);
}

TEST(CoordinatorCancel, TheRequestComesInTheSameBatch_WhoeverIsFirstDecides) {
  TestGateway first;
  EXPECT_EQ(Sent(first.Step({Cancel(Order(kX)), SubmitInput{{1, 0}, Order(kX)}})), "");
  EXPECT_EQ(first.state(kX), PaymentState::kAborted);
  TestGateway second;
  EXPECT_EQ(Sent(second.Step({SubmitInput{{1, 0}, Order(kX)}, Cancel(Order(kX))})), "a:prepare b:prepare");
  EXPECT_EQ(second.state(kX), PaymentState::kInitiated);
}

TEST(CoordinatorCancel, KnownPayment_StaysAsItIs) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  const auto effects = gateway.Step({Cancel(Order(kX))});
  EXPECT_EQ(OnlyAnswer(effects).outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(OnlyAnswer(effects).payment.state, PaymentState::kCommitting);
  EXPECT_EQ(gateway.state(kX), PaymentState::kCommitting);
}

TEST(CoordinatorCancel, AnotherPaymentUnderTheId_IsNotDisclosedAndStaysAsItIs) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  const auto effects = gateway.Step({Cancel(Order(kX, "a", "c"))});
  EXPECT_EQ(OnlyAnswer(effects).outcome, SubmitOutcome::kReused);
  EXPECT_EQ(OnlyAnswer(effects).payment, PaymentRecord{});
  EXPECT_TRUE(effects.payments.empty());
}

// It may register while the request is on its way.
TEST(CoordinatorCancel, BankThatIsNotRegistered_DoesNotMatter) {
  TestGateway gateway;
  EXPECT_EQ(OnlyAnswer(gateway.Step({Cancel(Order(kX, "a", "nowhere"))})).outcome, SubmitOutcome::kEnded);
}

TEST(CoordinatorCancel, NothingCanBeRecorded_IsNotAnsweredAsCancelled) {
  TestGateway gateway;
  SubmitInput input = Cancel(Order(kX));
  input.storage_full = true;
  EXPECT_EQ(OnlyAnswer(gateway.Step({input})).outcome, SubmitOutcome::kStorageFull);
  input.storage_full = false;
  input.draining = true;
  EXPECT_EQ(OnlyAnswer(gateway.Step({input})).outcome, SubmitOutcome::kDraining);
  EXPECT_EQ(Sent(gateway.Submit(Order(kX))), "a:prepare b:prepare");
}

}  // namespace
}  // namespace strife::protocol
