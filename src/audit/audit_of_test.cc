#include "audit/audit_of.h"

#include <gtest/gtest.h>

namespace strife::audit {
namespace {

using protocol::AuditEvent;
using protocol::AuditRecord;
using protocol::BankTransactionKind;
using protocol::BankTransactionState;
using protocol::PaymentState;

Currency Usd() { return *Currency::Parse("USD"); }

protocol::PaymentRecord Payment(PaymentState state) {
  protocol::PaymentRecord payment;
  payment.order.id.bytes[15] = 1;
  payment.order.payer = "alice";
  payment.order.from = {"bank1", "A-1"};
  payment.order.to = {"bank2", "B-2"};
  payment.order.amount = {1250, Usd()};
  payment.order.memo = "none of the auditor's business";
  payment.state = state;
  payment.updated_at = WallTime(Duration(77));
  return payment;
}

TEST(AuditOf, PaymentDecided_TellsWhoWhatAndHowMuch) {
  const AuditRecord record = AuditOf(Payment(PaymentState::kCommitting)).value();
  EXPECT_EQ(record.event, AuditEvent::kPaymentCommitted);
  EXPECT_EQ(record.at, WallTime(Duration(77)));
  EXPECT_EQ(record.actor, "user/alice");
  EXPECT_EQ(record.subject, "00000000-0000-0000-0000-000000000001");
  EXPECT_EQ(record.detail, "from=bank1/A-1 to=bank2/B-2 amount=12.50 USD");
}

TEST(AuditOf, PaymentAborted_TellsWhy) {
  protocol::PaymentRecord payment = Payment(PaymentState::kAborted);
  payment.reason_code = "AM04";
  const AuditRecord record = AuditOf(payment).value();
  EXPECT_EQ(record.event, AuditEvent::kPaymentAborted);
  EXPECT_EQ(record.detail, "from=bank1/A-1 to=bank2/B-2 amount=12.50 USD reason=AM04");
}

TEST(AuditOf, PaymentThatIsLate_IsAnEvent_OneUndecidedOrCarriedOutIsNot) {
  EXPECT_EQ(AuditOf(Payment(PaymentState::kPartialCommit)).value().event, AuditEvent::kPaymentLate);
  EXPECT_EQ(AuditOf(Payment(PaymentState::kInitiated)), std::nullopt);
  EXPECT_EQ(AuditOf(Payment(PaymentState::kCompleted)), std::nullopt);
}

TEST(AuditOf, Tombstone_NamesTheBankThatAsked) {
  protocol::PaymentRecord tombstone = Payment(PaymentState::kAborted);
  tombstone.order.payer.clear();
  const AuditRecord record = AuditOf(tombstone).value();
  EXPECT_EQ(record.actor, "bank/bank1");
  EXPECT_EQ(record.detail, "inquiry about a payment that is not on record");
}

TEST(AuditOf, BankTransactionEnded_TellsLegsAmountAndKind) {
  protocol::BankTransactionRecord transaction;
  transaction.id.bytes[15] = 1;
  transaction.state = BankTransactionState::kCommitted;
  transaction.debit_account = "A-1";
  transaction.amount = {500, Usd()};
  transaction.updated_at = WallTime(Duration(78));
  AuditRecord record = AuditOf(transaction).value();
  EXPECT_EQ(record.event, AuditEvent::kTransactionCommitted);
  EXPECT_EQ(record.actor, "gateway");
  EXPECT_EQ(record.detail, "payment debit=A-1 amount=5.00 USD");

  transaction.kind = BankTransactionKind::kDirect;
  transaction.credit_account = "cash:USD";
  record = AuditOf(transaction).value();
  EXPECT_EQ(record.actor, "");  // who asked for it is a record of its own
  EXPECT_EQ(record.detail, "direct debit=A-1 credit=cash:USD amount=5.00 USD");
}

TEST(AuditOf, BankTransactionRefused_TellsWhy_OnePreparedIsNoEvent) {
  protocol::BankTransactionRecord transaction;
  transaction.state = BankTransactionState::kAborted;
  transaction.reason_code = "AC01";
  EXPECT_EQ(AuditOf(transaction).value().event, AuditEvent::kTransactionAborted);
  EXPECT_EQ(AuditOf(transaction).value().detail, "payment reason=AC01");
  transaction.state = BankTransactionState::kPrepared;
  EXPECT_EQ(AuditOf(transaction), std::nullopt);
}

TEST(AuditOf, EachStepOfAHeuristicDecision_NamesWhoTookIt) {
  protocol::HeuristicRecord heuristic;
  heuristic.transaction_id.bytes[15] = 1;
  heuristic.proposed_by = "olga";
  heuristic.proposed_at = WallTime(Duration(1));
  heuristic.confirmed_by = "otto";
  heuristic.forced_at = WallTime(Duration(2));
  heuristic.decided_at = WallTime(Duration(3));
  heuristic.acknowledged_by = "oscar";
  heuristic.acknowledged_at = WallTime(Duration(4));
  using protocol::HeuristicState;
  const struct {
    HeuristicState state;
    AuditEvent event;
    const char* actor;
    int at;
  } steps[] = {{HeuristicState::kProposed, AuditEvent::kForceProposed, "operator/olga", 1},
               {HeuristicState::kForced, AuditEvent::kForced, "operator/otto", 2},
               {HeuristicState::kAgreed, AuditEvent::kForceAgreed, "gateway", 3},
               {HeuristicState::kMixed, AuditEvent::kForceMixed, "gateway", 3},
               {HeuristicState::kAcknowledged, AuditEvent::kMixedAcknowledged, "operator/oscar", 4}};
  for (const auto& step : steps) {
    heuristic.state = step.state;
    const AuditRecord record = AuditOf(heuristic).value();
    EXPECT_EQ(record.event, step.event);
    EXPECT_EQ(record.actor, step.actor);
    EXPECT_EQ(record.at, WallTime(Duration(step.at)));
    EXPECT_EQ(record.subject, "00000000-0000-0000-0000-000000000001");
  }
}

TEST(AuditOf, Suspension_NamesTheOperatorAndWhy) {
  SuspensionRecord suspension{SuspendedKind::kUser, "alice", true, "olga", "asked for by the police",
                              WallTime(Duration(9))};
  AuditRecord record = AuditOf(suspension).value();
  EXPECT_EQ(record.event, AuditEvent::kUserSuspended);
  EXPECT_EQ(record.actor, "operator/olga");
  EXPECT_EQ(record.subject, "user/alice");
  EXPECT_EQ(record.detail, "reason=asked for by the police");
  suspension.suspended = false;
  EXPECT_EQ(AuditOf(suspension).value().event, AuditEvent::kUserResumed);
  suspension.kind = SuspendedKind::kBank;
  EXPECT_EQ(AuditOf(suspension).value().event, AuditEvent::kBankResumed);
}

}  // namespace
}  // namespace strife::audit
