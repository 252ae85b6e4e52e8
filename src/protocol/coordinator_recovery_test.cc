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

// A gateway that has been put back to where it was before banks a and b saw payments 2 to 4.
struct RestoredGateway {
  RestoredGateway() {
    for (const char* bank : {"a", "b", "c", "d"}) gateway.Register(bank);
    gateway.Submit(Order(kX));
    const auto payments = gateway.payments;
    const std::uint64_t sequence = gateway.sequence;
    for (std::uint8_t n = 2; n < 5; ++n) gateway.Submit(Order(Id(n)));
    seen = gateway.sequence;
    gateway.payments = payments;
    gateway.sequence = sequence;
    gateway.Restart();
  }

  SubmitOutcome Pay(std::uint8_t n, const char* from, const char* to) {
    const auto answers = gateway.Submit(Order(Id(n), from, to)).submit_answers;
    return answers.empty() ? SubmitOutcome::kEnded : answers[0].outcome;
  }

  TestGateway gateway;
  std::uint64_t seen = 0;
};

TEST(Coordinator, BankAhead_GetsNoDecisionAndNoPayment) {
  RestoredGateway restored;
  TestGateway& gateway = restored.gateway;
  const auto inquiry = gateway.Inquire("a", Id(2), kStoreId, restored.seen);
  EXPECT_EQ(inquiry.inquiry_answers.at(0).outcome, InquiryOutcome::kNeedsReconciliation);
  ASSERT_EQ(inquiry.events.size(), 1u);
  EXPECT_EQ(inquiry.events[0].kind, CoordinatorEvent::Kind::kNeedsReconciliation);
  EXPECT_EQ(inquiry.events[0].bank_id, "a");
  EXPECT_TRUE(inquiry.payments.empty());
  EXPECT_TRUE(gateway.Inquire("a", Id(3), kStoreId, restored.seen).events.empty()) << "said once";
  EXPECT_EQ(gateway.Inquire("a", Id(77), std::nullopt).inquiry_answers.at(0).outcome,
            InquiryOutcome::kNeedsReconciliation)
      << "nothing is presumed";
  EXPECT_EQ(restored.Pay(9, "a", "b"), SubmitOutcome::kNeedsReconciliation);
  EXPECT_EQ(restored.Pay(9, "b", "a"), SubmitOutcome::kNeedsReconciliation);
  SubmitInput cancel{{99, 0}, Order(Id(9))};
  cancel.cancel = true;
  EXPECT_EQ(gateway.Step({cancel}).submit_answers.at(0).outcome, SubmitOutcome::kNeedsReconciliation);
}

TEST(Coordinator, BankAhead_HoldsTheOtherBankOfItsPaymentsBack) {
  RestoredGateway restored;
  TestGateway& gateway = restored.gateway;
  EXPECT_EQ(gateway.Inquire("b", kX).inquiry_answers.at(0).outcome, InquiryOutcome::kDecided);
  gateway.Register("a", kStoreId, restored.seen);
  EXPECT_EQ(gateway.Inquire("b", kX).inquiry_answers.at(0).outcome, InquiryOutcome::kNeedsReconciliation)
      << "a may know of a decision that is lost here";
}

// Else any bank could stop all the others by a lie.
TEST(Coordinator, BankAhead_DoesNotKeepOthersFromPaying) {
  RestoredGateway restored;
  TestGateway& gateway = restored.gateway;
  gateway.Register("a", kStoreId, restored.seen);
  EXPECT_EQ(restored.Pay(9, "c", "d"), SubmitOutcome::kEnded);
  EXPECT_EQ(gateway.Inquire("c", Id(78), std::nullopt).inquiry_answers.at(0).decision, Decision::kAbort);
}

TEST(Coordinator, BankAhead_StaysSoWhenTheStoreHasComeSoFarAndAcrossRestarts) {
  RestoredGateway restored;
  TestGateway& gateway = restored.gateway;
  gateway.Register("a", kStoreId, restored.seen);
  EXPECT_EQ(gateway.banks.at("a").ahead, restored.seen);
  for (std::uint8_t n = 10; gateway.sequence <= restored.seen; ++n) restored.Pay(n, "c", "d");
  EXPECT_EQ(restored.Pay(9, "a", "b"), SubmitOutcome::kNeedsReconciliation);
  gateway.Restart();
  EXPECT_EQ(restored.Pay(9, "a", "b"), SubmitOutcome::kNeedsReconciliation);
  BankRecord moved = testing::BankNamed("a");
  moved.endpoint = "elsewhere:1";
  gateway.Step({RegisterInput{{98, 0}, moved, kStoreId, restored.seen}});
  gateway.Restart();
  EXPECT_EQ(restored.Pay(9, "a", "b"), SubmitOutcome::kNeedsReconciliation) << "nor does another registration end it";
}

TEST(Coordinator, BankAhead_OnceReconciled_PaysAgainAndIsBelieved) {
  RestoredGateway restored;
  TestGateway& gateway = restored.gateway;
  restored.seen += 100;  // more than this test's own steps make good
  gateway.Register("a", kStoreId, restored.seen);
  gateway.Register("b", kStoreId, restored.seen);
  gateway.Step({ReconciledInput{"a"}});
  EXPECT_GT(gateway.sequence, restored.seen);
  EXPECT_EQ(gateway.banks.at("a").ahead, 0u);
  EXPECT_EQ(restored.Pay(9, "a", "b"), SubmitOutcome::kNeedsReconciliation) << "b waits for its own";
  gateway.Restart();
  EXPECT_TRUE(gateway.Register("a", kStoreId, restored.seen).events.empty());
  EXPECT_EQ(restored.Pay(9, "a", "c"), SubmitOutcome::kEnded);
  const std::uint64_t sequence = gateway.sequence;
  gateway.Step({ReconciledInput{"c"}});
  EXPECT_EQ(gateway.sequence, sequence) << "c is not ahead";
}

TEST(Coordinator, BankAhead_BeforeItHasRegistered_IsOnRecordOnceItHas) {
  TestGateway gateway;
  EXPECT_EQ(gateway.Inquire("z", Id(2), kStoreId, 1000).inquiry_answers.at(0).outcome,
            InquiryOutcome::kNeedsReconciliation);
  gateway.Register("z", kStoreId, 1000);
  EXPECT_EQ(gateway.banks.at("z").ahead, 1000u);
}

TEST(Coordinator, BankAhead_IsNoticedWhenItRegisters) {
  TestGateway gateway;
  EXPECT_TRUE(gateway.Register("a", kStoreId, gateway.sequence).events.empty());
  EXPECT_TRUE(gateway.Register("a", Id(99), 1000).events.empty()) << "another store says nothing about this one";
  EXPECT_EQ(gateway.Register("a", kStoreId, gateway.sequence + 1).events.size(), 1u);
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
