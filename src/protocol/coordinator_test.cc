#include "protocol/coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/reason.h"
#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

using testing::BankNamed;
using testing::Id;
using testing::OnlyAnswer;
using testing::Order;
using testing::seconds;
using testing::Sent;
using testing::TestGateway;
using testing::Usd;
using enum CommandKind;
using enum CommandOutcome;
using Event = CoordinatorEvent::Kind;

const Uuid kX = Id(1);

// ---- The straight way (rules 2, 3, 4) ----

TEST(Coordinator, Submit_IsOnRecordBeforeItsPreparesAndAsksBothBanksAtOnce) {
  TestGateway gateway;
  const auto effects = gateway.Submit(Order(kX));
  ASSERT_EQ(effects.payments.size(), 1u);
  EXPECT_EQ(effects.payments[0].state, PaymentState::kInitiated);
  EXPECT_EQ(effects.payments[0].order, Order(kX));
  EXPECT_EQ(Sent(effects), "a:prepare b:prepare");
  EXPECT_EQ(effects.commands[0].command.epoch, gateway.epoch);
  EXPECT_EQ(effects.commands[0].command.gateway_sequence, gateway.sequence);
  EXPECT_TRUE(effects.submit_answers.empty());
}

TEST(Coordinator, AllYes_DecidesOnceDeliversAndAnswersOnce) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  EXPECT_EQ(Sent(gateway.Reply("b", kPrepare, kX, kYes)), "");
  EXPECT_EQ(gateway.state(kX), PaymentState::kInitiated);
  const auto decided = gateway.Reply("a", kPrepare, kX, kYes);
  EXPECT_EQ(gateway.state(kX), PaymentState::kCommitting);
  EXPECT_EQ(Sent(decided), "a:commit b:commit");
  EXPECT_TRUE(decided.submit_answers.empty()) << "told only when both legs are posted";
  EXPECT_TRUE(gateway.Reply("a", kCommit, kX, kDone).submit_answers.empty());
  const auto ended = gateway.Reply("b", kCommit, kX, kDone);
  EXPECT_EQ(OnlyAnswer(ended).payment.state, PaymentState::kCompleted);
  EXPECT_EQ(OnlyAnswer(ended).reply_to, (ReplyTo{1, 0}));
  EXPECT_EQ(gateway.state(kX), PaymentState::kCompleted);
  EXPECT_EQ(gateway.coordinator().open_count(), 0u);
}

TEST(Coordinator, WithinOneBank_OneParticipant) {
  TestGateway gateway;
  EXPECT_EQ(Sent(gateway.Submit(Order(kX, "a", "a"))), "a:prepare");
  EXPECT_EQ(Sent(gateway.Reply("a", kPrepare, kX, kYes)), "a:commit");
  EXPECT_EQ(OnlyAnswer(gateway.Reply("a", kCommit, kX, kDone)).payment.state, PaymentState::kCompleted);
}

TEST(Coordinator, No_AbortsWithTheBanksReasonAndUndoesTheOtherBank) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  const auto effects = gateway.Step({BankRepliesInput{"a", {{kPrepare, kX, kNo, "AM04", "no money"}}}});
  EXPECT_EQ(OnlyAnswer(effects).payment.state, PaymentState::kAborted);
  EXPECT_EQ(OnlyAnswer(effects).payment.reason_code, "AM04");
  EXPECT_EQ(Sent(effects), "b:abort") << "b's vote is still on its way; a holds nothing";
  EXPECT_EQ(Sent(gateway.Reply("b", kPrepare, kX, kYes)), "") << "a vote for a decided payment changes nothing";
  EXPECT_EQ(gateway.state(kX), PaymentState::kAborted);
  gateway.Reply("b", kAbort, kX, kDone);
  EXPECT_EQ(gateway.coordinator().open_count(), 0u);
}

TEST(Coordinator, NoAndYesInOneBatch_TheDecisionIsMadeOnce) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  const auto effects = gateway.Step({BankRepliesInput{"a", {{kPrepare, kX, kNo, "AM04", ""}}},
                                     BankRepliesInput{"b", {{kPrepare, kX, kYes, "", ""}}}});
  EXPECT_EQ(effects.payments.size(), 1u);
  EXPECT_EQ(gateway.state(kX), PaymentState::kAborted);
  EXPECT_EQ(effects.submit_answers.size(), 1u);
  EXPECT_EQ(Sent(effects), "b:abort");
}

TEST(Coordinator, ContradictionFromABank_AbortsBeforeAndIsReportedAfterTheDecision) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  const auto before = gateway.Reply("a", kPrepare, kX, kViolation);
  EXPECT_EQ(before.events.at(0).kind, Event::kProtocolViolation);
  EXPECT_EQ(gateway.state(kX), PaymentState::kAborted);
  EXPECT_EQ(gateway.Reply("a", kAbort, kX, kViolation).events.at(0).kind, Event::kProtocolViolation);

  gateway.Decide(Order(Id(2)));
  const auto after = gateway.Reply("a", kCommit, Id(2), kViolation);
  EXPECT_EQ(after.events.at(0).kind, Event::kProtocolViolation);
  EXPECT_EQ(gateway.state(Id(2)), PaymentState::kCommitting) << "decided is decided";
}

TEST(Coordinator, RepliesToStrangersAndEarlierPhases_AreIgnored) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  const std::vector<BankReply> replies{{kPrepare, kX, kNo, "AM04", ""}, {kAbort, kX, kDone, "", ""}};
  const auto effects =
      gateway.Step({BankRepliesInput{"a", replies}, BankRepliesInput{"c", {{kCommit, kX, kDone, "", ""}}},
                    BankRepliesInput{"a", {{kCommit, Id(77), kDone, "", ""}}}});
  EXPECT_TRUE(effects.payments.empty() && effects.commands.empty() && effects.events.empty());
  EXPECT_EQ(gateway.state(kX), PaymentState::kCommitting);
}

// ---- Exactly once ----

TEST(Coordinator, Duplicate_InTheSameBatchHasNoSecondEffect) {
  TestGateway gateway;
  const auto effects = gateway.Step({SubmitInput{{1, 0}, Order(kX)}, SubmitInput{{2, 0}, Order(kX)}});
  EXPECT_EQ(Sent(effects), "a:prepare b:prepare");
  EXPECT_EQ(OnlyAnswer(effects).outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(OnlyAnswer(effects).reply_to, (ReplyTo{2, 0}));
  EXPECT_EQ(OnlyAnswer(effects).payment.state, PaymentState::kInitiated);
}

TEST(Coordinator, Duplicate_InTheSameBatchAsCompletionIsAnsweredWithThePriorOutcome) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  gateway.Reply("a", kCommit, kX, kDone);
  const auto effects =
      gateway.Step({BankRepliesInput{"b", {{kCommit, kX, kDone, "", ""}}}, SubmitInput{{9, 0}, Order(kX)}});
  ASSERT_EQ(effects.submit_answers.size(), 2u);
  EXPECT_EQ(effects.submit_answers[1].outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(effects.submit_answers[1].payment.state, PaymentState::kCompleted);
  EXPECT_EQ(Sent(effects), "");
}

TEST(Coordinator, Duplicate_AfterCompletionAndRestartIsAnsweredWithThePriorOutcome) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  gateway.Reply("a", kCommit, kX, kDone);
  gateway.Reply("b", kCommit, kX, kDone);
  gateway.Restart();
  const auto effects = gateway.Submit(Order(kX));
  EXPECT_EQ(OnlyAnswer(effects).outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(OnlyAnswer(effects).payment.state, PaymentState::kCompleted);
  EXPECT_TRUE(effects.payments.empty() && effects.commands.empty());
}

TEST(Coordinator, ReusedId_DisclosesAndMovesNothing) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  std::vector<PaymentOrder> others(5, Order(kX));
  others[0].amount = Usd(101);
  others[1].payer = "bob";
  others[2].memo = "gift";
  others[3].to.account_id = "other";
  others[4].from.bank_id = "c";
  for (const PaymentOrder& other : others) {
    const auto effects = gateway.Submit(other);
    EXPECT_EQ(OnlyAnswer(effects).outcome, SubmitOutcome::kReused);
    EXPECT_EQ(OnlyAnswer(effects).payment, PaymentRecord{});
    EXPECT_TRUE(effects.payments.empty() && effects.commands.empty());
  }
}

// ---- Time (rules 4, 5, 13) ----

TEST(Coordinator, PrepareTimeout_AbortsAndTellsBothBanks) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  gateway.Reply("a", kPrepare, kX, kYes);
  gateway.Pass(seconds(5));
  const auto effects = gateway.Step();
  EXPECT_EQ(OnlyAnswer(effects).payment.reason_code, reason::kTimeoutCreditorAgent);
  EXPECT_EQ(Sent(effects), "a:abort b:abort");
}

TEST(Coordinator, LastVoteInTheBatchOfTheTimeout_TheVoteCounts) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  gateway.Reply("a", kPrepare, kX, kYes);
  gateway.Pass(seconds(5));
  EXPECT_EQ(Sent(gateway.Reply("b", kPrepare, kX, kYes)), "a:commit b:commit");
}

TEST(Coordinator, TimeoutAfterTheDecision_NeverAborts) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  gateway.Reply("a", kCommit, kX, kDone);
  gateway.Pass(seconds(4));
  EXPECT_TRUE(gateway.Step().payments.empty()) << "the prepare's deadline means nothing any more";
  gateway.Pass(seconds(2));
  const auto late = gateway.Step();
  EXPECT_EQ(OnlyAnswer(late).payment.state, PaymentState::kPartialCommit);
  EXPECT_EQ(OnlyAnswer(late).payment.reason_code, reason::kCommitDelayed);
  ASSERT_EQ(late.events.size(), 1u);
  EXPECT_EQ(late.events[0].kind, Event::kPartialCommit);
  EXPECT_EQ(late.events[0].bank_id, "b");
  gateway.Pass(seconds(1000));
  EXPECT_TRUE(gateway.Step().payments.empty());
  const auto ended = gateway.Reply("b", kCommit, kX, kDone);
  EXPECT_EQ(gateway.state(kX), PaymentState::kCompleted);
  EXPECT_EQ(gateway.payments.at(kX).reason_code, "");
  EXPECT_TRUE(ended.submit_answers.empty()) << "the client has been answered";
}

TEST(Coordinator, Commit_IsRedeliveredForEver) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  gateway.Reply("a", kCommit, kX, kDone);
  for (int i = 0; i < 200; ++i) {
    if (i % 3 == 0) gateway.Reply("b", kCommit, kX, kOverloaded);
    if (i % 3 == 1) gateway.Reply("b", kCommit, kX, kStale);
    if (i % 3 == 2) gateway.Lose("b", kCommit, kX);
    gateway.Pass(seconds(7));
    EXPECT_EQ(Sent(gateway.Step()), "b:commit") << i;
  }
  gateway.Reply("b", kCommit, kX, kDone);
  EXPECT_EQ(gateway.state(kX), PaymentState::kCompleted);
}

TEST(Coordinator, ClockJump_ChangesNoOutcome) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  gateway.now.wall += std::chrono::hours(24);
  EXPECT_TRUE(gateway.Step().payments.empty());
  gateway.now.wall -= std::chrono::hours(48);
  gateway.Reply("a", kPrepare, kX, kYes);
  EXPECT_EQ(Sent(gateway.Reply("b", kPrepare, kX, kYes)), "a:commit b:commit");
}

// ---- A command in transport while the phase changes ----

TEST(Coordinator, LostPrepare_IsNotTakenForALostAbort) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  EXPECT_EQ(Sent(gateway.Reply("a", kPrepare, kX, kNo)), "b:abort");
  gateway.Lose("b", kPrepare, kX);
  gateway.Pass(seconds(7));
  EXPECT_EQ(Sent(gateway.Step()), "") << "the abort is still on its way";
  gateway.Lose("b", kAbort, kX);
  gateway.Pass(seconds(7));
  EXPECT_EQ(Sent(gateway.Step()), "b:abort");
}

TEST(Coordinator, LostAborts_AreLeftToPresumedAbort) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  gateway.Reply("a", kPrepare, kX, kNo);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(gateway.coordinator().open_count(), 1u);
    gateway.Lose("b", kAbort, kX);
    gateway.Pass(seconds(7));
    gateway.Step();
  }
  EXPECT_EQ(gateway.coordinator().open_count(), 0u);
  EXPECT_EQ(gateway.Inquire("b", kX).inquiry_answers.at(0).decision, Decision::kAbort);
}

// ---- Banks that are slow, away or full (rule 11) ----

TEST(Coordinator, OfflineBank_StallsOnlyItsOwnPaymentsUntilItReturns) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  gateway.Reply("a", kCommit, kX, kDone);
  for (int i = 0; i < 3; ++i) {
    gateway.Lose("b", kCommit, kX);
    if (i == 2) break;
    gateway.Pass(seconds(7));
    EXPECT_EQ(Sent(gateway.Step()), "b:commit");
  }
  const auto refused = gateway.Submit(Order(Id(2)));
  EXPECT_EQ(OnlyAnswer(refused).payment.reason_code, reason::kBankOffline);
  EXPECT_EQ(gateway.state(Id(2)), PaymentState::kAborted) << "on record, so that asking again gives the same answer";
  EXPECT_EQ(OnlyAnswer(gateway.Submit(Order(Id(2)))).outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(Sent(gateway.Submit(Order(Id(3), "a", "c"))), "a:prepare c:prepare");
  gateway.Lose("b", kCommit, kX);
  EXPECT_EQ(Sent(gateway.Register("b")), "b:commit") << "what waits for it goes out at once";
  EXPECT_EQ(Sent(gateway.Submit(Order(Id(4)))), "a:prepare b:prepare");
}

TEST(Coordinator, OfflineBank_IsProbedWithOnePaymentNowAndThen) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  for (int i = 0; i < 3; ++i) {
    if (i > 0) gateway.Step();
    gateway.Lose("b", kCommit, kX);
    if (i < 2) gateway.Pass(seconds(7));
  }
  EXPECT_EQ(Sent(gateway.Submit(Order(Id(2)))), "");
  gateway.Pass(seconds(6));
  gateway.Step();
  EXPECT_EQ(Sent(gateway.Submit(Order(Id(3)))), "a:prepare b:prepare") << "a probe";
  EXPECT_EQ(Sent(gateway.Submit(Order(Id(4)))), "") << "one is enough";
  gateway.Reply("b", kPrepare, Id(3), kYes);
  EXPECT_EQ(Sent(gateway.Submit(Order(Id(5)))), "a:prepare b:prepare") << "it is back";
}

TEST(Coordinator, BankThatGoesOfflineWhileVoting_AbortsBeforeTheTimeout) {
  TestGateway gateway;
  gateway.Submit(Order(kX));
  gateway.Lose("b", kPrepare, kX);
  gateway.Pass(seconds(1));
  EXPECT_EQ(Sent(gateway.Step()), "b:prepare");
  gateway.Lose("b", kPrepare, kX);
  gateway.Pass(seconds(1));
  gateway.Step();
  const auto effects = gateway.Lose("b", kPrepare, kX);
  EXPECT_EQ(OnlyAnswer(effects).payment.reason_code, reason::kBankOffline);
  EXPECT_EQ(Sent(effects), "a:abort b:abort") << "it may have prepared without our knowing";
}

TEST(Coordinator, Overload_IsPerBankAndRecordsNothing) {
  TestGateway gateway(CoordinatorOptions{.max_open_per_bank = 1});
  gateway.Submit(Order(kX));
  const auto shed = gateway.Submit(Order(Id(2), "c", "b"));
  EXPECT_EQ(OnlyAnswer(shed).outcome, SubmitOutcome::kOverloaded);
  EXPECT_TRUE(shed.payments.empty());
  EXPECT_EQ(Sent(gateway.Submit(Order(Id(3), "c", "c"))), "c:prepare");
  gateway.Reply("a", kPrepare, kX, kNo);
  gateway.Reply("b", kAbort, kX, kDone);
  EXPECT_EQ(Sent(gateway.Submit(Order(Id(2)))), "a:prepare b:prepare") << "the id was not used up";
}

TEST(Coordinator, Room_IsForWhatIsNotUnderWay) {
  TestGateway gateway(CoordinatorOptions{.window = {.most = 2, .usual = seconds(1)}});
  gateway.Submit(Order(kX));
  gateway.Submit(Order(Id(2)));
  EXPECT_EQ(gateway.room(), 0u);
  gateway.Submit(Order(kX));
  EXPECT_EQ(gateway.room(), 0u);
  gateway.Reply("a", kPrepare, kX, kNo);
  EXPECT_EQ(gateway.room(), 0u) << "b may hold something yet";
  gateway.Reply("b", kAbort, kX, kDone);
  EXPECT_EQ(gateway.room(), 1u);
  gateway.Pass(seconds(1));
  EXPECT_EQ(gateway.room(), 2u) << "a slow bank does not hold up others";
}

TEST(Coordinator, StorageFull_RefusesNewPaymentsAndAnswersForOldOnes) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  const auto refused = gateway.Step({SubmitInput{{1, 0}, Order(Id(2)), true}});
  EXPECT_EQ(OnlyAnswer(refused).outcome, SubmitOutcome::kStorageFull);
  EXPECT_TRUE(refused.payments.empty());
  EXPECT_EQ(Sent(refused), "");
  const auto known = gateway.Step({SubmitInput{{2, 0}, Order(kX), true}});
  EXPECT_EQ(OnlyAnswer(known).outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(OnlyAnswer(known).payment.state, PaymentState::kCommitting);
  EXPECT_EQ(Sent(gateway.Submit(Order(Id(2)))), "a:prepare b:prepare") << "the id was not used up";
}

TEST(Coordinator, Draining_RefusesNewPaymentsAndAnswersForOldOnes) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  SubmitInput drained{{1, 0}, Order(Id(2))};
  drained.draining = true;
  const auto refused = gateway.Step({drained});
  EXPECT_EQ(OnlyAnswer(refused).outcome, SubmitOutcome::kDraining);
  EXPECT_TRUE(refused.payments.empty());
  drained.order = Order(kX);
  EXPECT_EQ(OnlyAnswer(gateway.Step({drained})).outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(Sent(gateway.Submit(Order(Id(2)))), "a:prepare b:prepare") << "the id was not used up";
}

TEST(Coordinator, SuspendedBank_DeclinesNewPaymentsForGood_AndAsksNobody) {
  TestGateway gateway;
  gateway.Decide(Order(kX));
  SubmitInput suspended{{1, 0}, Order(Id(2))};
  suspended.suspended = true;
  const auto declined = gateway.Step({suspended});
  EXPECT_EQ(OnlyAnswer(declined).payment.reason_code, reason::kBankSuspended);
  EXPECT_EQ(gateway.state(Id(2)), PaymentState::kAborted);
  EXPECT_EQ(Sent(declined), "");
  EXPECT_EQ(OnlyAnswer(gateway.Submit(Order(Id(2)))).outcome, SubmitOutcome::kDuplicate);
  suspended.order = Order(kX);
  EXPECT_EQ(OnlyAnswer(gateway.Step({suspended})).payment.state, PaymentState::kCommitting) << "goes on";
}

TEST(Coordinator, CurrencyThatABankDoesNotKeep_RecordsNothingAndAsksNobody) {
  TestGateway gateway;
  BankRecord bank = testing::BankNamed("b");
  bank.currencies = {"EUR", "JPY"};
  gateway.Step({RegisterInput{.reply_to = {1, 0}, .bank = bank, .store_id = {}}});
  for (const PaymentOrder& order : {Order(kX, "a", "b"), Order(kX, "b", "a"), Order(kX, "b", "b")}) {
    const auto effects = gateway.Submit(order);
    EXPECT_EQ(OnlyAnswer(effects).outcome, SubmitOutcome::kCurrencyNotKept);
    EXPECT_TRUE(effects.commands.empty());
  }
  EXPECT_TRUE(gateway.payments.empty());
  PaymentOrder kept = Order(kX, "a", "b");  // and "a" has not said what it keeps
  kept.amount.currency = *Currency::Parse("JPY");
  EXPECT_EQ(gateway.Submit(kept).commands.size(), 2u);
}

TEST(Coordinator, UnknownBank_RecordsNothing) {
  TestGateway gateway;
  EXPECT_EQ(OnlyAnswer(gateway.Submit(Order(kX, "x", "b"))).outcome, SubmitOutcome::kUnknownPayerBank);
  EXPECT_EQ(OnlyAnswer(gateway.Submit(Order(kX, "a", "x"))).outcome, SubmitOutcome::kUnknownPayeeBank);
  EXPECT_TRUE(gateway.payments.empty());
  const auto effects = gateway.Register("x");
  EXPECT_TRUE(effects.register_answers.at(0).accepted);
  EXPECT_EQ(effects.register_answers.at(0).bank.registered_at, gateway.now.wall);
  EXPECT_TRUE(gateway.Register("x").banks.empty()) << "a heartbeat writes nothing";
  gateway.Restart();
  EXPECT_EQ(Sent(gateway.Submit(Order(kX, "x", "b"))), "x:prepare b:prepare");
}

// ---- A disk that is nearly full (rule 15) ----

TEST(Coordinator, StorageFull_NothingIsPresumedAboutAnUnknownId_AndTheBankAsksAgain) {
  TestGateway gateway;
  InquiryInput asks{{1, 0}, "a", kX, std::nullopt, 0, true};
  const auto pending = gateway.Step({asks});
  EXPECT_TRUE(pending.payments.empty() && pending.traces.empty());
  EXPECT_EQ(pending.inquiry_answers.at(0).outcome, InquiryOutcome::kDecided);
  EXPECT_EQ(pending.inquiry_answers.at(0).decision, Decision::kPending);
  gateway.Decide(Order(Id(2)));
  asks.id = Id(2);
  EXPECT_EQ(gateway.Step({asks}).inquiry_answers.at(0).decision, Decision::kCommit) << "what is known is told";
  asks.id = kX;
  asks.storage_full = false;
  EXPECT_EQ(gateway.Step({asks}).inquiry_answers.at(0).decision, Decision::kAbort);
  asks.storage_full = true;
  EXPECT_EQ(gateway.Step({asks}).inquiry_answers.at(0).decision, Decision::kAbort) << "it is on record";
}

TEST(Coordinator, StorageFull_ABankIsThereAsItIsRegistered_AndNotOtherwise) {
  TestGateway gateway;
  gateway.Register("a");
  RegisterInput full{{1, 0}, BankNamed("a"), {}, 0, true};
  EXPECT_TRUE(gateway.Step({full}).register_answers.at(0).accepted);
  for (const char* bank : {"a", "x"}) {
    full.bank = BankNamed(bank);
    full.bank.endpoint = "elsewhere:1";
    const auto refused = gateway.Step({full});
    EXPECT_FALSE(refused.register_answers.at(0).accepted);
    EXPECT_TRUE(refused.register_answers.at(0).storage_full);
    EXPECT_TRUE(refused.banks.empty());
  }
  EXPECT_EQ(OnlyAnswer(gateway.Submit(Order(kX, "x", "b"))).outcome, SubmitOutcome::kUnknownPayerBank);
  full.storage_full = false;
  EXPECT_EQ(gateway.Step({full}).banks.size(), 1u);
}

}  // namespace
}  // namespace strife::protocol
