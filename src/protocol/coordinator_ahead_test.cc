// Banks that have seen more of the gateway's store than it holds.
#include <gtest/gtest.h>

#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

using testing::Id;
using testing::kStoreId;
using testing::Order;
using testing::TestGateway;

// A gateway that has been put back to where it was before banks a and b saw payments 2 to 4.
struct RestoredGateway {
  RestoredGateway() {
    for (const char* bank : {"a", "b", "c", "d"}) gateway.Register(bank);
    gateway.Submit(Order(Id(1)));
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

TEST(BankAhead, GetsNoDecisionAndNoPayment) {
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

TEST(BankAhead, HoldsTheOtherBankOfItsPaymentsBack) {
  RestoredGateway restored;
  TestGateway& gateway = restored.gateway;
  EXPECT_EQ(gateway.Inquire("b", Id(1)).inquiry_answers.at(0).outcome, InquiryOutcome::kDecided);
  gateway.Register("a", kStoreId, restored.seen);
  EXPECT_EQ(gateway.Inquire("b", Id(1)).inquiry_answers.at(0).outcome, InquiryOutcome::kNeedsReconciliation)
      << "a may know of a decision that is lost here";
}

// Else any bank could stop all the others by a lie.
TEST(BankAhead, DoesNotKeepOthersFromPaying) {
  RestoredGateway restored;
  TestGateway& gateway = restored.gateway;
  gateway.Register("a", kStoreId, restored.seen);
  EXPECT_EQ(restored.Pay(9, "c", "d"), SubmitOutcome::kEnded);
  EXPECT_EQ(gateway.Inquire("c", Id(78), std::nullopt).inquiry_answers.at(0).decision, Decision::kAbort);
}

TEST(BankAhead, StaysSoWhenTheStoreHasComeSoFarAndAcrossRestarts) {
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

TEST(BankAhead, OnceReconciled_PaysAgainAndIsBelieved) {
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

TEST(BankAhead, BeforeItHasRegistered_IsOnRecordOnceItHas) {
  TestGateway gateway;
  EXPECT_EQ(gateway.Inquire("z", Id(2), kStoreId, 1000).inquiry_answers.at(0).outcome,
            InquiryOutcome::kNeedsReconciliation);
  gateway.Register("z", kStoreId, 1000);
  EXPECT_EQ(gateway.banks.at("z").ahead, 1000u);
}

TEST(BankAhead, IsNoticedWhenItRegisters) {
  TestGateway gateway;
  EXPECT_TRUE(gateway.Register("a", kStoreId, gateway.sequence).events.empty());
  EXPECT_TRUE(gateway.Register("a", Id(99), 1000).events.empty()) << "another store says nothing about this one";
  EXPECT_EQ(gateway.Register("a", kStoreId, gateway.sequence + 1).events.size(), 1u);
}

}  // namespace
}  // namespace strife::protocol
