#include "sim/auditor.h"

#include <gtest/gtest.h>

#include "sim/test_support.h"

namespace strife::sim {
namespace {

using protocol::PaymentState;
using protocol::SubmitAnswer;
using protocol::SubmitOutcome;
using testing::ExpectSound;
using testing::Found;
using testing::Payment;

class AuditorTest : public ::testing::Test {
 protected:
  AuditorTest() { auditor_.Asked(planned_); }

  SubmitAnswer Answer(PaymentState state) {
    SubmitAnswer answer;
    answer.payment.order = planned_.order;
    answer.payment.state = state;
    return answer;
  }
  void Told(PaymentState state) { auditor_.Told(planned_.order, Answer(state)); }
  // Two banks with two accounts each; `payer` and `payee` are what the payment's accounts have in the end.
  void Conclude(std::int64_t payer, std::int64_t payee) {
    Scenario::Cluster cluster;
    cluster.banks = 2;
    cluster.accounts_per_bank = 2;
    auditor_.Conclude(cluster, [&](std::size_t bank, const std::string& account) {
      if (bank == 0 && account == planned_.order.from.account_id) return payer;
      if (bank == 1 && account == planned_.order.to.account_id) return payee;
      return std::int64_t{1000};
    });
  }
  bool FindsWrong() { return Found(checkers_.violations(), invariant::kToldTheTruth); }

  World world_{1};
  Checkers checkers_{world_, {BankName(0), BankName(1)}};
  Auditor auditor_{checkers_, 1000};
  PlannedPayment planned_ = Payment();
};

TEST_F(AuditorTest, CompletedPayment_MovesItsAmount) {
  Told(PaymentState::kPartialCommit);
  Told(PaymentState::kCompleted);
  Told(PaymentState::kCompleted);
  Conclude(900, 1100);
  ExpectSound(checkers_.violations(), "completed");
  EXPECT_EQ(auditor_.counts().completed, 1u);
}

TEST_F(AuditorTest, AbortedPayment_MovesNothing) {
  Told(PaymentState::kAborted);
  Conclude(1000, 1000);
  ExpectSound(checkers_.violations(), "aborted");
  EXPECT_EQ(auditor_.counts().aborted, 1u);
}

TEST_F(AuditorTest, ToldAbortedAlthoughMoneyMoved_IsFound) {
  Told(PaymentState::kAborted);
  Conclude(900, 1100);
  EXPECT_TRUE(FindsWrong());
}

TEST_F(AuditorTest, ToldCompletedAlthoughOneLegIsMissing_IsFound) {
  Told(PaymentState::kCompleted);
  Conclude(900, 1000);
  EXPECT_TRUE(FindsWrong());
}

TEST_F(AuditorTest, ToldBothOutcomes_IsFound) {
  Told(PaymentState::kAborted);
  Told(PaymentState::kCompleted);
  EXPECT_TRUE(FindsWrong());
}

TEST_F(AuditorTest, AbortedAfterItWasDecided_IsFound) {
  Told(PaymentState::kPartialCommit);
  Told(PaymentState::kAborted);
  EXPECT_TRUE(FindsWrong());
}

TEST_F(AuditorTest, HopelessPaymentThatCompletes_IsFound) {
  PlannedPayment hopeless = Payment(2);
  hopeless.must_abort = true;
  auditor_.Asked(hopeless);
  SubmitAnswer answer;
  answer.payment.order = hopeless.order;
  answer.payment.state = PaymentState::kCompleted;
  auditor_.Told(hopeless.order, answer);
  EXPECT_TRUE(FindsWrong());
}

TEST_F(AuditorTest, AnswerAboutAnotherPayment_IsFound) {
  SubmitAnswer answer = Answer(PaymentState::kCompleted);
  answer.payment.order.amount.minor_units += 1;
  auditor_.Told(planned_.order, answer);
  EXPECT_TRUE(FindsWrong());
}

TEST_F(AuditorTest, IdUsedByAnother_IsRefusedWithoutSayingMore) {
  PlannedPayment other = planned_;
  other.order.payer = UserName(1);
  auditor_.Asked(other);
  Told(PaymentState::kAborted);
  SubmitAnswer refusal;
  refusal.outcome = SubmitOutcome::kReused;
  auditor_.Told(other.order, refusal);
  ExpectSound(checkers_.violations(), "refused");
  refusal.payment.order = planned_.order;
  auditor_.Told(other.order, refusal);
  EXPECT_TRUE(FindsWrong()) << "another user's payment was disclosed";
}

TEST_F(AuditorTest, OwnerToldThatItsIdIsUsed_IsFound) {
  SubmitAnswer refusal;
  refusal.outcome = SubmitOutcome::kReused;
  auditor_.Told(planned_.order, refusal);
  EXPECT_TRUE(FindsWrong());
}

}  // namespace
}  // namespace strife::sim
