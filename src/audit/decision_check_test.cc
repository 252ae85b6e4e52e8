#include "audit/decision_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "audit/audit_of.h"
#include "audit/chain.h"

namespace strife::audit {
namespace {

using protocol::PaymentRecord;
using protocol::PaymentState;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

PaymentRecord Payment(std::uint8_t id, PaymentState state) {
  PaymentRecord payment;
  payment.order.id.bytes[15] = id;
  payment.order.payer = "alice";
  payment.order.from = {"bank1", "A-1"};
  payment.order.to = {"bank2", "B-2"};
  payment.order.amount = {1250, *Currency::Parse("USD")};
  payment.state = state;
  payment.updated_at = WallTime(Duration(id));
  return payment;
}

class DecisionCheckTest : public ::testing::Test {
 protected:
  // The payment as it is decided, with its record.
  void Decide(std::uint8_t id, PaymentState state, const std::string& reason = {}) {
    PaymentRecord payment = Payment(id, state);
    payment.reason_code = reason;
    log_.push_back(chain_.Append(AuditOf(payment).value()));
    Store(payment);
  }
  void Store(const PaymentRecord& payment) { payments_[payment.order.id] = payment; }

  // With the payments in stretches of `size`.
  std::vector<Finding> Check(std::size_t size = 100, std::uint64_t settled = 1000) {
    Findings findings;
    DecisionCheck check(start_, settled, findings);
    std::vector<Decided> all;
    for (const auto& [id, payment] : payments_) all.push_back(DecidedOf(payment));
    for (std::size_t i = 0, last = 0; last == 0; i += size) {
      last = i + size >= all.size() ? 1 : 0;
      check.BeginStretch({all.begin() + static_cast<std::ptrdiff_t>(i),
                          all.begin() + static_cast<std::ptrdiff_t>(std::min(i + size, all.size()))},
                         last == 1);
      for (const AuditEntry& entry : log_) check.Take(entry);
      check.EndStretch();
    }
    check.Conclude();
    return std::move(findings).Sorted();
  }

  AuditStart start_{};
  Chain chain_{start_, std::nullopt};
  std::vector<AuditEntry> log_;
  std::map<Uuid, PaymentRecord> payments_;
};

TEST_F(DecisionCheckTest, EveryDecisionRecorded_HasNoFindings) {
  Decide(1, PaymentState::kCommitting);
  Decide(1, PaymentState::kPartialCommit, "AB05");
  Decide(2, PaymentState::kAborted, "AM04");
  Decide(3, PaymentState::kCommitting);
  Store(Payment(3, PaymentState::kCompleted));
  Store(Payment(4, PaymentState::kInitiated));
  for (const std::size_t stretch : {1, 2, 3, 4, 100}) EXPECT_THAT(Check(stretch), IsEmpty()) << stretch;
}

TEST_F(DecisionCheckTest, DecidedWithoutRecord_IsNamed) {
  Decide(1, PaymentState::kCommitting);
  Store(Payment(2, PaymentState::kCompleted));
  const auto findings = Check();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].what,
            "00000000-0000-0000-0000-000000000002 is decided and has no record: it has been deleted or cut off");
}

TEST_F(DecisionCheckTest, OnlyLateRecorded_IsNotEnough) {
  Decide(1, PaymentState::kPartialCommit);
  EXPECT_EQ(Check().size(), 1u);
}

TEST_F(DecisionCheckTest, DecidedBeforeTheLogBegan_MayLackRecords_NoMoreThanThere) {
  start_.decided_before = 2;
  for (std::uint8_t id = 1; id <= 3; ++id) Store(Payment(id, PaymentState::kAborted));
  const auto findings = Check();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].what, HasSubstr("000000000003 is decided"));  // the newest
}

TEST_F(DecisionCheckTest, PaymentOfARecordDeleted_OrUndecided_IsNamed_UnlessItMayBeNewer) {
  Decide(1, PaymentState::kCommitting);
  Decide(2, PaymentState::kCommitting);
  payments_.erase(payments_.begin());
  Store(Payment(2, PaymentState::kInitiated));
  const auto findings = Check();
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_THAT(findings[0].what, HasSubstr("record 1 tells of"));
  EXPECT_THAT(findings[0].what, HasSubstr("deleted there"));
  EXPECT_THAT(findings[1].what, HasSubstr("committed, and in the store it is undecided"));
  EXPECT_THAT(Check(100, 0), IsEmpty());
}

TEST_F(DecisionCheckTest, OutcomeTurnedAround_IsNamed) {
  Decide(1, PaymentState::kCommitting);
  Store(Payment(1, PaymentState::kAborted));
  const auto findings = Check();
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_THAT(findings[0].what, HasSubstr("was committed, and in the store it is aborted"));
}

TEST_F(DecisionCheckTest, AmountChangedInTheStore_IsNamed) {
  Decide(1, PaymentState::kCommitting);
  PaymentRecord payment = Payment(1, PaymentState::kCompleted);
  payment.order.amount.minor_units = 1;
  Store(payment);
  const auto findings = Check();
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_THAT(findings[0].what, HasSubstr("another amount than the store has"));
}

}  // namespace
}  // namespace strife::audit
