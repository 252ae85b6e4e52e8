#include "invariant/payment_invariants.h"

#include <gtest/gtest.h>

namespace strife::invariant {
namespace {

using protocol::BankTransactionKind;
using protocol::BankTransactionRecord;
using protocol::BankTransactionState;
using protocol::EntryRecord;
using protocol::PaymentRecord;
using protocol::PaymentState;

Uuid Id() { return *Uuid::Parse("01890a5d-ac96-774b-bcce-b302099a8057"); }

PaymentRecord Payment(PaymentState state) {
  PaymentRecord payment;
  payment.order = {Id(), "alice", {"bank1", "A"}, {"bank2", "B"}, {100, *Currency::Parse("USD")}, ""};
  payment.state = state;
  return payment;
}

BankTransactionRecord DebitLeg(BankTransactionState state) {
  BankTransactionRecord leg;
  leg.id = Id();
  leg.state = state;
  leg.debit_account = "A";
  leg.amount = {100, *Currency::Parse("USD")};
  return leg;
}

std::vector<std::string_view> NamesIn(const Violations& found) {
  std::vector<std::string_view> names;
  for (const Violation& violation : found) names.push_back(violation.invariant);
  return names;
}

using Names = std::vector<std::string_view>;

TEST(Agreement, CommittedHereAndAbortedThere_IsNamed) {
  const auto committed = DebitLeg(BankTransactionState::kCommitted);
  const auto aborted = DebitLeg(BankTransactionState::kAborted);
  const auto prepared = DebitLeg(BankTransactionState::kPrepared);
  Violations found;
  CheckAgreement(Id(), std::vector<BankView>{{"bank1", &committed, {}}, {"bank2", &prepared, {}}}, found);
  CheckAgreement(Id(), std::vector<BankView>{{"bank1", &aborted, {}}, {"bank2", &prepared, {}}}, found);
  EXPECT_TRUE(found.empty());
  CheckAgreement(Id(), std::vector<BankView>{{"bank1", &committed, {}}, {"bank2", &aborted, {}}}, found);
  ASSERT_EQ(NamesIn(found), Names{kAgreement});
  EXPECT_EQ(found[0].transaction_id, Id());
  EXPECT_EQ(found[0].bank_id, "bank2");
}

TEST(Agreement, ABanksOwnTransactionWithThatId_IsNoPartOfIt) {
  const auto committed = DebitLeg(BankTransactionState::kCommitted);
  auto own = DebitLeg(BankTransactionState::kAborted);
  own.kind = BankTransactionKind::kDirect;
  Violations found;
  CheckAgreement(Id(), std::vector<BankView>{{"bank1", &committed, {}}, {"bank2", &own, {}}}, found);
  EXPECT_TRUE(found.empty());
}

// What one bank's state means for each state at the gateway. 0 stands for "no record".
Names Judge(PaymentState gateway, int bank, ReadOrder order) {
  const auto leg = DebitLeg(static_cast<BankTransactionState>(bank));
  const BankView view{"bank1", bank == 0 ? nullptr : &leg, {}};
  Violations found;
  CheckToldTheTruth(Payment(gateway), view, order, found);
  CheckValidity(Payment(gateway), view, order, found);
  return NamesIn(found);
}
constexpr int kNone = 0;
constexpr int kPrepared = 2;
constexpr int kCommitted = 3;
constexpr int kAborted = 4;

TEST(GatewayAgainstBank, BankReadLater_EveryCombination) {
  const auto judge = [](PaymentState gateway, int bank) { return Judge(gateway, bank, ReadOrder::kBankLater); };
  for (const int bank : {kNone, kPrepared, kAborted}) {
    EXPECT_EQ(judge(PaymentState::kInitiated, bank), Names{});
    EXPECT_EQ(judge(PaymentState::kAborted, bank), Names{});
  }
  EXPECT_EQ(judge(PaymentState::kInitiated, kCommitted), Names{kValidity});
  EXPECT_EQ(judge(PaymentState::kAborted, kCommitted), Names{kToldTheTruth});
  for (const PaymentState decided : {PaymentState::kCommitting, PaymentState::kPartialCommit}) {
    EXPECT_EQ(judge(decided, kNone), Names{kValidity});
    EXPECT_EQ(judge(decided, kPrepared), Names{});
    EXPECT_EQ(judge(decided, kCommitted), Names{});
    EXPECT_EQ(judge(decided, kAborted), Names{kValidity});
  }
  EXPECT_EQ(judge(PaymentState::kCompleted, kNone), (Names{kToldTheTruth, kValidity}));
  EXPECT_EQ(judge(PaymentState::kCompleted, kPrepared), Names{kToldTheTruth});
  EXPECT_EQ(judge(PaymentState::kCompleted, kCommitted), Names{});
  EXPECT_EQ(judge(PaymentState::kCompleted, kAborted), (Names{kToldTheTruth, kValidity}));
}

TEST(GatewayAgainstBank, GatewayReadLater_OnlyWhatTimeCannotExplain) {
  const auto judge = [](PaymentState gateway, int bank) { return Judge(gateway, bank, ReadOrder::kGatewayLater); };
  for (const int bank : {kNone, kPrepared, kCommitted}) {
    EXPECT_EQ(judge(PaymentState::kCompleted, bank), Names{});
    EXPECT_EQ(judge(PaymentState::kCommitting, bank), Names{});
  }
  EXPECT_EQ(judge(PaymentState::kCompleted, kAborted), Names{kValidity});
  EXPECT_EQ(judge(PaymentState::kAborted, kCommitted), Names{kToldTheTruth});
}

TEST(Terms, EachDifference_IsNamed) {
  const auto judge = [](const BankTransactionRecord& leg, std::string_view bank_id) {
    Violations found;
    CheckTerms(Payment(PaymentState::kCompleted), {bank_id, &leg, {}}, found);
    return NamesIn(found);
  };
  const auto leg = DebitLeg(BankTransactionState::kCommitted);
  EXPECT_EQ(judge(leg, "bank1"), Names{});
  auto other = leg;
  other.debit_account = "C";
  EXPECT_EQ(judge(other, "bank1"), Names{kTerms});
  other = leg;
  other.credit_account = "C";
  EXPECT_EQ(judge(other, "bank1"), Names{kTerms});
  other = leg;
  other.amount.minor_units = 99;
  EXPECT_EQ(judge(other, "bank1"), Names{kTerms});
  other = leg;
  other.amount.currency = *Currency::Parse("EUR");
  EXPECT_EQ(judge(other, "bank1"), Names{kTerms});
  EXPECT_EQ(judge(leg, "bank3"), Names{kTerms}) << "a bank that has no part in it";
  other.state = BankTransactionState::kAborted;
  EXPECT_EQ(judge(other, "bank1"), Names{}) << "it moved nothing";
}

TEST(Stability, OnlyProgressIsAllowed) {
  const auto judge = [](PaymentState before, PaymentState after) {
    Violations found;
    CheckStability(Payment(before), Payment(after), found);
    return NamesIn(found);
  };
  EXPECT_EQ(judge(PaymentState::kInitiated, PaymentState::kAborted), Names{});
  EXPECT_EQ(judge(PaymentState::kCommitting, PaymentState::kPartialCommit), Names{});
  EXPECT_EQ(judge(PaymentState::kPartialCommit, PaymentState::kCompleted), Names{});
  EXPECT_EQ(judge(PaymentState::kCommitting, PaymentState::kAborted), Names{kStability});
  EXPECT_EQ(judge(PaymentState::kAborted, PaymentState::kCommitting), Names{kStability});
  EXPECT_EQ(judge(PaymentState::kCompleted, PaymentState::kPartialCommit), Names{kStability});
  auto changed = Payment(PaymentState::kInitiated);
  changed.order.amount.minor_units = 1;
  Violations found;
  CheckStability(Payment(PaymentState::kInitiated), changed, found);
  EXPECT_EQ(NamesIn(found), Names{kStability});
}

TEST(ExactlyOnce, CommittedHasExactlyItsEntries) {
  const auto leg = DebitLeg(BankTransactionState::kCommitted);
  const auto judge = [](const BankTransactionRecord* transaction, const std::vector<EntryRecord>& entries) {
    Violations found;
    CheckExactlyOnce({"bank1", transaction, entries}, found);
    return NamesIn(found);
  };
  const auto right = ExpectedEntries(leg);
  ASSERT_EQ(right.size(), 2u);
  EXPECT_EQ(right[0].account_id, "A");
  EXPECT_EQ(right[0].amount_minor_units, -100);
  EXPECT_EQ(right[1].account_id, "clearing:USD");
  EXPECT_EQ(judge(&leg, right), Names{});
  EXPECT_EQ(judge(&leg, {}), Names{kExactlyOnce});
  EXPECT_EQ(judge(&leg, {right[0]}), Names{kExactlyOnce});
  EXPECT_EQ(judge(&leg, {right[0], right[1], right[0]}), Names{kExactlyOnce});
  auto wrong = right;
  wrong[1].amount_minor_units = 101;
  EXPECT_EQ(judge(&leg, wrong), Names{kExactlyOnce});
  EXPECT_EQ(judge(nullptr, right), Names{kExactlyOnce});
  EXPECT_EQ(judge(nullptr, {}), Names{});
  const auto prepared = DebitLeg(BankTransactionState::kPrepared);
  EXPECT_EQ(judge(&prepared, right), Names{kExactlyOnce});
  EXPECT_EQ(judge(&prepared, {}), Names{});
}

TEST(ExpectedEntries, FollowTheKindAndTheLegs) {
  auto both = DebitLeg(BankTransactionState::kCommitted);
  both.credit_account = "B";
  const auto lines = ExpectedEntries(both);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[2].account_id, "clearing:USD");
  EXPECT_EQ(lines[2].amount_minor_units, -100);
  EXPECT_EQ(lines[3].account_id, "B");
  EXPECT_EQ(lines[3].line, 3);
  auto deposit = both;
  deposit.kind = BankTransactionKind::kDirect;
  deposit.debit_account.clear();
  EXPECT_EQ(ExpectedEntries(deposit).at(0).account_id, "cash:USD");
  deposit.kind = BankTransactionKind::kOpening;
  EXPECT_EQ(ExpectedEntries(deposit).at(0).account_id, "opening:USD");
}

TEST(EntriesBalance, EachCurrencySumsToZeroByItself) {
  auto entries = ExpectedEntries(DebitLeg(BankTransactionState::kCommitted));
  Violations found;
  CheckEntriesBalance({"bank1", nullptr, entries}, found);
  EXPECT_TRUE(found.empty());
  entries[1].currency = *Currency::Parse("EUR");
  CheckEntriesBalance({"bank1", nullptr, entries}, found);
  EXPECT_EQ(NamesIn(found), (Names{kConservation, kConservation}));
}

}  // namespace
}  // namespace strife::invariant
