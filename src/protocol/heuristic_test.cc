// Rule 14: operators of a bank decide in the gateway's place, and the gateway's decision meets theirs.
#include "protocol/heuristic.h"

#include <gtest/gtest.h>

#include "protocol/reason.h"
#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

using testing::Id;
using testing::Order;
using testing::TestBank;
using testing::TestGateway;
using enum CommandKind;
using enum CommandOutcome;
using std::chrono::minutes;
using std::chrono::seconds;

// A bank "a" with a payer who has 250, of which a prepared payment holds 100.
class HeuristicTest : public ::testing::Test {
 protected:
  HeuristicTest() {
    bank.Open("payer", 250);
    EXPECT_EQ(bank.Do(kPrepare, order).outcome, kYes);
  }

  HeuristicAnswer Force(const std::string& by, Decision decision) {
    last = bank.Step({ForceInput{{5, 0}, order.id, decision, by}});
    return last.heuristic_answers.at(0);
  }
  HeuristicAnswer Acknowledge(const std::string& by) {
    last = bank.Step({AcknowledgeInput{{6, 0}, order.id, by}});
    return last.heuristic_answers.at(0);
  }
  void ForceByTwo(Decision decision) {
    Force("alice", decision);
    ASSERT_EQ(Force("bob", decision).outcome, HeuristicOutcome::kForced);
  }
  BankTransactionState state() const { return bank.transaction_rows.at(order.id).state; }
  HeuristicState heuristic() const { return bank.heuristics.at(order.id).state; }
  AccountRecord& payer() { return bank.account_rows.at("payer"); }

  TestBank bank;
  ParticipantEffects last;
  const PaymentOrder order = Order(Id(1), "a", "b");
};

TEST_F(HeuristicTest, OneOperator_ChangesNothing) {
  EXPECT_EQ(Force("alice", Decision::kCommit).outcome, HeuristicOutcome::kProposed);
  EXPECT_EQ(Force("alice", Decision::kCommit).outcome, HeuristicOutcome::kSameOperator);
  EXPECT_TRUE(last.records.empty());
  EXPECT_EQ(state(), BankTransactionState::kPrepared);
  EXPECT_EQ(payer().held, 100);
}

TEST_F(HeuristicTest, TwoOperators_ForceACommitWithItsEntriesInOneCommit) {
  Force("alice", Decision::kCommit);
  const HeuristicAnswer answer = Force("bob", Decision::kCommit);
  EXPECT_EQ(answer.outcome, HeuristicOutcome::kForced);
  EXPECT_EQ(answer.record->proposed_by, "alice");
  EXPECT_EQ(answer.record->confirmed_by, "bob");
  EXPECT_EQ(last.records.transactions.size(), 1u);
  EXPECT_EQ(last.records.entries.size(), 2u);
  EXPECT_EQ(last.records.heuristics.size(), 1u);
  EXPECT_EQ(state(), BankTransactionState::kCommitted);
  EXPECT_EQ(payer().posted, 150);
  EXPECT_EQ(payer().held, 0);
}

TEST_F(HeuristicTest, TwoOperators_ForceAnAbortWhichReleasesTheHold) {
  ForceByTwo(Decision::kAbort);
  EXPECT_EQ(state(), BankTransactionState::kAborted);
  EXPECT_EQ(payer().posted, 250);
  EXPECT_EQ(payer().held, 0);
  EXPECT_EQ(bank.EntriesOf(order.id), 0u);
}

TEST_F(HeuristicTest, ProposalSurvivesARestart) {
  Force("alice", Decision::kCommit);
  bank.Restart();
  EXPECT_EQ(Force("alice", Decision::kCommit).outcome, HeuristicOutcome::kSameOperator);
  EXPECT_EQ(Force("bob", Decision::kCommit).outcome, HeuristicOutcome::kForced);
}

TEST_F(HeuristicTest, ProposalThatIsTooOld_IsNoHalfOfADecision) {
  Force("alice", Decision::kCommit);
  bank.Pass(minutes(15));
  EXPECT_EQ(Force("bob", Decision::kCommit).outcome, HeuristicOutcome::kProposed);
  EXPECT_EQ(state(), BankTransactionState::kPrepared);
  EXPECT_EQ(Force("alice", Decision::kCommit).outcome, HeuristicOutcome::kForced);
}

TEST_F(HeuristicTest, ProposalFromTheFuture_IsVoid) {
  Force("alice", Decision::kCommit);
  bank.now.wall -= minutes(60);
  EXPECT_EQ(Force("bob", Decision::kCommit).outcome, HeuristicOutcome::kProposed);
}

TEST_F(HeuristicTest, OppositeProposals_DoNotMakeADecision) {
  Force("alice", Decision::kCommit);
  EXPECT_EQ(Force("bob", Decision::kAbort).outcome, HeuristicOutcome::kOtherProposal);
  EXPECT_EQ(state(), BankTransactionState::kPrepared);
  EXPECT_EQ(Force("alice", Decision::kAbort).outcome, HeuristicOutcome::kProposed) << "who proposed may think again";
  EXPECT_EQ(Force("bob", Decision::kAbort).outcome, HeuristicOutcome::kForced);
}

TEST_F(HeuristicTest, OnlyAPreparedTransaction_CanBeForced) {
  EXPECT_EQ(bank.Step({ForceInput{{5, 0}, Id(9), Decision::kAbort, "alice"}}).heuristic_answers.at(0).outcome,
            HeuristicOutcome::kNotPrepared);
  Force("alice", Decision::kAbort);
  EXPECT_EQ(bank.Do(kCommit, order).outcome, kDone) << "a proposal does not stand in the gateway's way";
  EXPECT_EQ(Force("bob", Decision::kAbort).outcome, HeuristicOutcome::kNotPrepared);
  EXPECT_EQ(state(), BankTransactionState::kCommitted);
}

TEST_F(HeuristicTest, Forced_CannotBeForcedAgain) {
  ForceByTwo(Decision::kAbort);
  EXPECT_EQ(Force("carol", Decision::kCommit).outcome, HeuristicOutcome::kNotPrepared);
  EXPECT_EQ(state(), BankTransactionState::kAborted);
}

TEST_F(HeuristicTest, GatewayAgrees_IsDoneAndRecorded) {
  for (const auto& [decision, kind] : {std::pair(Decision::kCommit, kCommit), std::pair(Decision::kAbort, kAbort)}) {
    TestBank fresh;
    fresh.Open("payer", 250);
    fresh.Do(kPrepare, order);
    fresh.Step({ForceInput{{5, 0}, order.id, decision, "alice"}});
    fresh.Step({ForceInput{{5, 0}, order.id, decision, "bob"}});
    EXPECT_EQ(fresh.Do(kind, order).outcome, kDone);
    EXPECT_EQ(fresh.heuristics.at(order.id).state, HeuristicState::kAgreed);
    EXPECT_EQ(fresh.Do(kind, order).outcome, kDone);
    EXPECT_EQ(fresh.EntriesOf(order.id), decision == Decision::kCommit ? 2u : 0u);
    EXPECT_EQ(fresh.participant().prepared_count(), 0u);
  }
}

TEST_F(HeuristicTest, GatewayDecidesTheOpposite_IsMixedAndChangesNothing) {
  ForceByTwo(Decision::kAbort);
  const AccountRecord before = payer();
  const auto effects = bank.Step({CommandInput{{1, 0}, bank.Command(kCommit, order)}});
  EXPECT_EQ(effects.answers.at(0).reply.outcome, kMixed);
  EXPECT_EQ(effects.events.at(0).kind, ParticipantEvent::Kind::kMixed);
  EXPECT_EQ(heuristic(), HeuristicState::kMixed);
  EXPECT_EQ(payer(), before);
  EXPECT_EQ(bank.EntriesOf(order.id), 0u);
  bank.Restart();
  EXPECT_EQ(bank.Do(kCommit, order).outcome, kMixed);
  EXPECT_EQ(bank.Do(kAbort, order).outcome, kViolation) << "the gateway contradicts itself";
}

TEST_F(HeuristicTest, Mixed_IsAcknowledgedOnceAndToldToTheGateway) {
  EXPECT_EQ(Acknowledge("carol").outcome, HeuristicOutcome::kNotMixed);
  ForceByTwo(Decision::kCommit);
  EXPECT_EQ(Acknowledge("carol").outcome, HeuristicOutcome::kNotMixed) << "nobody knows yet";
  EXPECT_EQ(bank.Do(kAbort, order).outcome, kMixed);
  EXPECT_EQ(Acknowledge("carol").outcome, HeuristicOutcome::kAcknowledged);
  EXPECT_EQ(bank.heuristics.at(order.id).acknowledged_by, "carol");
  EXPECT_EQ(Acknowledge("dave").outcome, HeuristicOutcome::kAcknowledged);
  EXPECT_TRUE(last.records.empty());
  bank.Restart();
  EXPECT_EQ(bank.Do(kAbort, order).outcome, kMixedAcknowledged);
}

TEST_F(HeuristicTest, Forced_IsAskedAboutUntilTheDecisionIsHeard) {
  ForceByTwo(Decision::kCommit);
  bank.Restart();
  EXPECT_EQ(bank.Step().inquiries.size(), 1u);
  bank.Step({InquiryAnswered{order.id, Decision::kPending, 1}});
  EXPECT_EQ(heuristic(), HeuristicState::kForced);
  bank.Pass(seconds(60));
  EXPECT_EQ(bank.Step().inquiries.size(), 1u);
  bank.Step({InquiryAnswered{order.id, Decision::kAbort, 1}});
  EXPECT_EQ(heuristic(), HeuristicState::kMixed);
  bank.Pass(seconds(60));
  EXPECT_TRUE(bank.Step().inquiries.empty());
}

TEST_F(HeuristicTest, List_HasTheOldestFirstAndWhatIsMixed) {
  bank.Pass(seconds(1));
  const PaymentOrder younger = Order(Id(2), "a", "b");
  bank.Do(kPrepare, younger);
  Force("alice", Decision::kCommit);
  const auto list = [&](std::size_t limit) {
    return bank.Step({ListInDoubtInput{{7, 0}, limit}}).in_doubt_answers.at(0);
  };
  InDoubtAnswer answer = list(10);
  ASSERT_EQ(answer.transactions.size(), 2u);
  EXPECT_EQ(answer.transactions[0].transaction.id, order.id);
  EXPECT_EQ(answer.transactions[0].heuristic->proposed_by, "alice");
  EXPECT_EQ(answer.transactions[1].heuristic, std::nullopt);
  EXPECT_EQ(list(1).transactions.size(), 1u);
  EXPECT_EQ(list(1).total, 2u);
  Force("bob", Decision::kCommit);
  bank.Do(kAbort, order);
  answer = list(10);
  EXPECT_EQ(answer.transactions.size(), 1u);
  ASSERT_EQ(answer.mixed.size(), 1u);
  EXPECT_EQ(answer.mixed[0].transaction_id, order.id);
}

// ---- What the gateway makes of it ----

BankRepliesInput ReplyOf(const std::string& bank, CommandKind kind, const Uuid& id, CommandOutcome outcome) {
  return {bank, {{kind, id, outcome, std::string(reason::kHeuristicMixed), "operators had forced it"}}};
}

TEST(CoordinatorHeuristic, MixedCommit_StaysPartialUntilAcknowledged) {
  TestGateway gateway;
  const PaymentOrder order = Order(Id(1));
  gateway.Decide(order);
  gateway.Reply("a", kCommit, order.id, kDone);
  auto effects = gateway.Step({ReplyOf("b", kCommit, order.id, kMixed)});
  ASSERT_EQ(effects.submit_answers.size(), 1u);
  EXPECT_EQ(effects.submit_answers[0].payment.state, PaymentState::kPartialCommit);
  EXPECT_EQ(effects.submit_answers[0].payment.reason_code, reason::kHeuristicMixed);
  EXPECT_EQ(effects.events.at(0).kind, CoordinatorEvent::Kind::kMixed);

  gateway.Pass(seconds(10));
  effects = gateway.Step();
  ASSERT_EQ(effects.commands.size(), 1u) << "asked about again";
  EXPECT_EQ(effects.commands[0].bank_id, "b");
  effects = gateway.Step({ReplyOf("b", kCommit, order.id, kMixed)});
  EXPECT_TRUE(effects.events.empty()) << "said once";
  EXPECT_TRUE(effects.payments.empty());

  gateway.Restart();
  gateway.Reply("a", kCommit, order.id, kDone);
  EXPECT_EQ(gateway.state(order.id), PaymentState::kPartialCommit);
  EXPECT_EQ(gateway.payments.at(order.id).reason_code, reason::kHeuristicMixed);
  gateway.Step({ReplyOf("b", kCommit, order.id, kMixedAcknowledged)});
  EXPECT_EQ(gateway.state(order.id), PaymentState::kCompleted);
  EXPECT_EQ(gateway.payments.at(order.id).reason_code, reason::kHeuristicMixed) << "for good";
  EXPECT_EQ(gateway.coordinator().open_count(), 0u);
}

TEST(CoordinatorHeuristic, BothBanksMixed_EachIsSaidOnce) {
  for (const bool commit : {true, false}) {
    TestGateway gateway;
    const PaymentOrder order = Order(Id(1));
    const CommandKind kind = commit ? kCommit : kAbort;
    if (commit) {
      gateway.Decide(order);
    } else {
      gateway.Submit(order);
      gateway.Reply("a", kPrepare, order.id, kYes);
      gateway.Pass(seconds(10));
      gateway.Step();  // too late for the other vote
    }
    for (const std::string bank : {"a", "b"}) {
      const auto effects = gateway.Step({ReplyOf(bank, kind, order.id, kMixed)});
      ASSERT_EQ(effects.events.size(), 1u) << bank << commit;
      EXPECT_EQ(effects.events[0].kind, CoordinatorEvent::Kind::kMixed);
      EXPECT_EQ(effects.events[0].bank_id, bank);
    }
    EXPECT_TRUE(gateway.payments.at(order.id).message.starts_with("bank a: ")) << "the first one's words stay";
    if (!commit) continue;
    gateway.Pass(seconds(10));
    gateway.Step();
    for (const std::string bank : {"a", "b"}) {
      EXPECT_TRUE(gateway.Step({ReplyOf(bank, kind, order.id, kMixed)}).events.empty()) << bank;
    }
    gateway.Restart();
    EXPECT_TRUE(gateway.Step({ReplyOf("a", kind, order.id, kMixed)}).events.empty());
  }
}

TEST(CoordinatorHeuristic, AcknowledgedBeforeTheGatewayHeardOfIt_StillNamesTheReason) {
  TestGateway gateway;
  const PaymentOrder order = Order(Id(1));
  gateway.Decide(order);
  gateway.Step({ReplyOf("a", kCommit, order.id, kMixedAcknowledged)});
  EXPECT_EQ(gateway.state(order.id), PaymentState::kPartialCommit);
  gateway.Reply("b", kCommit, order.id, kDone);
  EXPECT_EQ(gateway.state(order.id), PaymentState::kCompleted);
  EXPECT_EQ(gateway.payments.at(order.id).reason_code, reason::kHeuristicMixed);
}

TEST(CoordinatorHeuristic, MixedAbort_StaysAbortedAndNamesTheReason) {
  TestGateway gateway;
  const PaymentOrder order = Order(Id(1));
  gateway.Submit(order);
  gateway.Reply("a", kPrepare, order.id, kYes);
  gateway.Reply("b", kPrepare, order.id, kNo);
  const auto effects = gateway.Step({ReplyOf("a", kAbort, order.id, kMixed)});
  EXPECT_EQ(effects.events.at(0).kind, CoordinatorEvent::Kind::kMixed);
  EXPECT_EQ(gateway.state(order.id), PaymentState::kAborted);
  EXPECT_EQ(gateway.payments.at(order.id).reason_code, reason::kHeuristicMixed);
  EXPECT_EQ(gateway.coordinator().open_count(), 0u);
}

TEST(CoordinatorHeuristic, List_ShowsWhoseAnswerIsMissing) {
  TestGateway gateway;
  const PaymentOrder order = Order(Id(1));
  gateway.Decide(order);
  gateway.Reply("a", kCommit, order.id, kDone);
  gateway.Lose("b", kCommit, order.id);
  gateway.Pass(seconds(1));
  gateway.Submit(Order(Id(2)));
  const WallTime now = gateway.now.wall;
  const auto list = [&](std::size_t limit, WallTime before) {
    return gateway.Step({ListOpenInput{{7, 0}, limit, before}}).list_open_answers.at(0);
  };
  const ListOpenAnswer answer = list(10, now);
  EXPECT_EQ(answer.total, 1u) << "the other one is too young";
  ASSERT_EQ(answer.payments.size(), 1u);
  EXPECT_TRUE(answer.payments[0].banks.at(0).answered);
  EXPECT_FALSE(answer.payments[0].banks.at(1).answered);
  EXPECT_TRUE(answer.payments[0].banks.at(1).unreachable);
  EXPECT_EQ(list(1, now + seconds(1)).payments.size(), 1u);
  EXPECT_EQ(list(1, now + seconds(1)).total, 2u);
}

}  // namespace
}  // namespace strife::protocol
