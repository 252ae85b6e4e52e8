// The audit log a gateway's store keeps, on every implementation.
#include "audit/examine.h"
#include "storage/gateway_store_test_support.h"

namespace strife {
namespace {

using protocol::AuditEvent;
using protocol::PaymentRecord;
using protocol::PaymentState;
using ::testing::ElementsAre;

template <typename Maker>
class GatewayStoreAudit : public GatewayStoreTest<Maker> {};
TYPED_TEST_SUITE(GatewayStoreAudit, Makers);

TYPED_TEST(GatewayStoreAudit, Audit_OfASoundStore_HasNoFindings_OneWhosePaymentsChangedHas) {
  this->CommitPayments({PaymentOf(1), this->InState(2, PaymentState::kCommitting)});
  this->CommitPayments({this->InState(1, PaymentState::kAborted), this->InState(2, PaymentState::kCompleted)});
  const auto reader = this->maker_.GatewayReading();
  const auto report = audit::Examine(*reader, {}).value();
  EXPECT_TRUE(report.ok()) << report.findings[0].what;
  EXPECT_EQ(report.records, 2u);
  EXPECT_EQ(report.last_sequence, 2u);
  EXPECT_EQ(report.decided, 2u);
  this->CommitPayments({this->InState(2, PaymentState::kInitiated)});  // as nothing here does
  EXPECT_FALSE(audit::Examine(*reader, {}).value().ok());
}

TYPED_TEST(GatewayStoreAudit, Audit_DecisionsAndWhatElseIsToTell_FormOneChain) {
  this->CommitPayments({PaymentOf(1), this->InState(2, PaymentState::kCommitting)});
  ASSERT_TRUE(this->Commit({.payments = {this->InState(1, PaymentState::kAborted)},
                            .banks = {},
                            .sessions = {},
                            .refresh_tokens = {},
                            .audit = {AuditOf(AuditEvent::kLogin, "user/alice")}}));
  const auto entries = ExpectChain(this->maker_.GatewayReading()->Audit());
  EXPECT_THAT(Described(entries), ElementsAre("1 " + IdOf(2).ToString(), "2 " + IdOf(1).ToString(), "20 user/alice"));
}

TYPED_TEST(GatewayStoreAudit, Audit_AfterReopening_GoesOnWhereItEnded) {
  const Status done = this->Commit({.payments = {},
                                    .banks = {},
                                    .sessions = {},
                                    .refresh_tokens = {},
                                    .audit = {AuditOf(AuditEvent::kLogin, "user/alice")}});
  ASSERT_TRUE(done) << done.error().message;
  this->Reopen();
  this->CommitPayments({this->InState(1, PaymentState::kAborted)});
  EXPECT_EQ(ExpectChain(this->maker_.GatewayReading()->Audit()).size(), 2u);
}

TYPED_TEST(GatewayStoreAudit, Audit_CommitRefused_LeavesNoEntryAndNoGap) {
  PaymentRecord negative = this->InState(1, PaymentState::kAborted);
  negative.order.amount.minor_units = -1;
  ASSERT_FALSE(this->Commit({.payments = {negative}, .banks = {}, .sessions = {}, .refresh_tokens = {}}));
  this->CommitPayments({this->InState(2, PaymentState::kAborted)});
  EXPECT_EQ(ExpectChain(this->maker_.GatewayReading()->Audit()).size(), 1u);
}

TYPED_TEST(GatewayStoreAudit, Audit_OfAFencedGateway_IsNotWritten) {
  auto successor = this->maker_.Gateway();
  ASSERT_TRUE(successor->OpenIncarnation(IdOf(43)));
  EXPECT_EQ(this->Commit({.payments = {this->InState(1, PaymentState::kAborted)},
                          .banks = {},
                          .sessions = {},
                          .refresh_tokens = {}})
                .error()
                .code,
            ErrorCode::kFenced);
  ASSERT_TRUE(successor->Commit({.payments = {this->InState(2, PaymentState::kAborted)},
                                 .banks = {},
                                 .sessions = {},
                                 .refresh_tokens = {},
                                 .sequence = 1}));
  const auto entries = ExpectChain(this->maker_.GatewayReading()->Audit());
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].record.subject, IdOf(2).ToString());
}

}  // namespace
}  // namespace strife
