// The coordinator after a restart, and what it tells banks that ask.
#include <gtest/gtest.h>

#include "protocol/coordinator.h"
#include "protocol/reason.h"
#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

using testing::Id;
using testing::kStoreId;
using testing::Order;
using testing::seconds;
using testing::TestGateway;
using enum CommandKind;
using enum CommandOutcome;

const Uuid kX = Id(1);

std::size_t Count(const CoordinatorEffects& effects, CommandKind kind) {
  return static_cast<std::size_t>(
      std::ranges::count_if(effects.commands, [&](const AddressedCommand& sent) { return sent.command.kind == kind; }));
}

// ---- Restart (rules 5, 9, 10) ----

TEST(Coordinator, RestartBeforeTheDecision_AbortsDurablyAndTellsTheBanks) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  gateway.Reply("a", kPrepare, kX, kYes);
  const auto effects = gateway.Restart();
  EXPECT_EQ(gateway.state(kX), PaymentState::kAborted);
  EXPECT_EQ(gateway.payments.at(kX).reason_code, reason::kGatewayRestarted);
  EXPECT_EQ(gateway.payments.at(kX).epoch, 2u);
  EXPECT_EQ(Count(effects, kAbort), 2u);
  EXPECT_EQ(effects.commands.size(), 2u);
  EXPECT_EQ(effects.commands[0].command.epoch, 2u);
  EXPECT_TRUE(effects.submit_answers.empty());
}

TEST(Coordinator, RestartAfterCommitDecision_DeliversCommitAgain) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  gateway.Reply("a", kCommit, kX, kDone);
  const auto effects = gateway.Restart();
  EXPECT_EQ(Count(effects, kCommit), 2u);
  EXPECT_EQ(effects.commands.size(), 2u);
  EXPECT_EQ(effects.commands[0].command.epoch, 2u);
  EXPECT_EQ(gateway.payments.at(kX).epoch, 2u);
  gateway.Reply("a", kCommit, kX, kDone);
  EXPECT_EQ(gateway.state(kX), PaymentState::kCommitting);
  gateway.Reply("b", kCommit, kX, kDone);
  EXPECT_EQ(gateway.state(kX), PaymentState::kCompleted);
}

TEST(Coordinator, RestartOfAPartialCommit_DeliversCommitAgainAndStaysPartialUntilDone) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  gateway.Pass(seconds(6));
  gateway.Step();
  ASSERT_EQ(gateway.state(kX), PaymentState::kPartialCommit);
  EXPECT_EQ(Count(gateway.Restart(), kCommit), 2u);
  gateway.Pass(seconds(6));
  gateway.Step();
  EXPECT_EQ(gateway.state(kX), PaymentState::kPartialCommit);
  gateway.Reply("a", kCommit, kX, kDone);
  gateway.Reply("b", kCommit, kX, kDone);
  EXPECT_EQ(gateway.state(kX), PaymentState::kCompleted);
}

TEST(Coordinator, RestartAgainAndAgain_EndsEveryPaymentOnce) {
  TestGateway gateway;
  gateway.Decide(Order(Id(1)));
  gateway.Submit(Order(Id(2)));
  for (int i = 0; i < 5; ++i) gateway.Restart();
  EXPECT_EQ(gateway.state(Id(2)), PaymentState::kAborted);
  EXPECT_EQ(gateway.coordinator().open_count(), 1u) << "an abort that is decided need not be delivered again";
  EXPECT_EQ(gateway.coordinator().epoch(), 6u);
  gateway.Reply("a", kCommit, Id(1), kDone);
  gateway.Reply("b", kCommit, Id(1), kDone);
  EXPECT_TRUE(gateway.Restart().commands.empty());
}

// ---- Inquiries (rule 7) ----

TEST(Coordinator, Inquiry_IsAnsweredFromTheRecord) {
  TestGateway gateway;
  const auto decision = [&](const Uuid& id) { return gateway.Inquire("a", id).inquiry_answers.at(0).decision; };
  gateway.Submit(Order(kX));
  EXPECT_EQ(decision(kX), Decision::kPending);
  gateway.Reply("a", kPrepare, kX, kYes);
  gateway.Reply("b", kPrepare, kX, kYes);
  EXPECT_EQ(decision(kX), Decision::kCommit);
  gateway.Reply("a", kCommit, kX, kDone);
  gateway.Reply("b", kCommit, kX, kDone);
  EXPECT_EQ(decision(kX), Decision::kCommit);
  gateway.Submit(Order(Id(2)));
  gateway.Reply("b", kPrepare, Id(2), kNo);
  EXPECT_EQ(decision(Id(2)), Decision::kAbort);
}

TEST(Coordinator, Inquiry_InTheBatchOfTheDecisionSeesIt) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  const auto effects =
      gateway.Step({BankRepliesInput{"a", {{kPrepare, kX, kYes, "", ""}}},
                    BankRepliesInput{"b", {{kPrepare, kX, kYes, "", ""}}}, InquiryInput{{8, 0}, "a", kX, kStoreId, 1}});
  EXPECT_EQ(effects.inquiry_answers.at(0).decision, Decision::kCommit);
}

TEST(Coordinator, InquiryAboutTheUnknown_RecordsTheAbortThenAnswersIt) {
  TestGateway gateway;
  const auto effects = gateway.Inquire("a", kX, std::nullopt);
  EXPECT_EQ(effects.inquiry_answers.at(0).decision, Decision::kAbort);
  ASSERT_EQ(effects.payments.size(), 1u);
  EXPECT_EQ(effects.payments[0].state, PaymentState::kAborted);
  EXPECT_EQ(gateway.sequence, 1u);
  EXPECT_TRUE(gateway.Inquire("b", kX, std::nullopt).payments.empty()) << "recorded once";
  gateway.Restart();
  const auto submitted = gateway.Submit(Order(kX));
  EXPECT_EQ(submitted.submit_answers.at(0).outcome, SubmitOutcome::kReused) << "it can never be paid any more";
  EXPECT_TRUE(submitted.commands.empty());
}

TEST(Coordinator, InquiryAboutTheUnknown_TwiceInOneBatchAndThenSubmitted) {
  TestGateway gateway;
  const auto effects = gateway.Step({InquiryInput{{1, 0}, "a", kX, std::nullopt, 0},
                                     InquiryInput{{2, 0}, "b", kX, std::nullopt, 0}, SubmitInput{{3, 0}, Order(kX)}});
  EXPECT_EQ(effects.payments.size(), 1u);
  EXPECT_EQ(effects.inquiry_answers.size(), 2u);
  EXPECT_EQ(effects.submit_answers.at(0).outcome, SubmitOutcome::kReused);
}

TEST(Coordinator, InquiryAboutTheUnknownButPreparedForThisStore_ProvesALostRecord) {
  TestGateway gateway;
  const auto effects = gateway.Inquire("a", kX, kStoreId, 0);
  EXPECT_EQ(effects.inquiry_answers.at(0).outcome, InquiryOutcome::kNeedsReconciliation);
  EXPECT_TRUE(effects.payments.empty());
}

TEST(Coordinator, InquiryFromABankThatHasNoPartInIt_LearnsNothing) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  EXPECT_EQ(gateway.Inquire("c", kX).inquiry_answers.at(0).outcome, InquiryOutcome::kNotAParticipant);
}

TEST(Coordinator, InquiryAboutAnotherStoresTransaction_IsNotPresumedAborted) {
  TestGateway gateway;
  const auto effects = gateway.Inquire("a", kX, Id(99));
  EXPECT_EQ(effects.inquiry_answers.at(0).outcome, InquiryOutcome::kNeedsReconciliation);
  EXPECT_TRUE(effects.payments.empty());
}

// The store was replaced by a new one, and the client has sent the same id again.
TEST(Coordinator, InquiryAboutAnotherStoresTransaction_IsNotAnsweredFromTheRecordOfThisOne) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  gateway.Reply("b", kPrepare, kX, kNo);
  const auto effects = gateway.Inquire("a", kX, Id(99));
  EXPECT_EQ(effects.inquiry_answers.at(0).outcome, InquiryOutcome::kNeedsReconciliation);
}

TEST(Coordinator, Sequence_GrowsWithEveryRecordAndIsOnEveryCommand) {
  TestGateway gateway;
  EXPECT_EQ(gateway.Submit(Order(kX)).commands[0].command.gateway_sequence, 1u);
  EXPECT_EQ(gateway.Submit(Order(Id(2))).commands[0].command.gateway_sequence, 2u);
  gateway.Submit(Order(kX));
  EXPECT_EQ(gateway.sequence, 2u) << "a duplicate leaves no record";
  gateway.Restart();
  EXPECT_EQ(gateway.sequence, 3u);
}

}  // namespace
}  // namespace strife::protocol
