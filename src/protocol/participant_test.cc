#include "protocol/participant.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "protocol/reason.h"
#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

using testing::Id;
using testing::kStoreId;
using testing::Order;
using testing::seconds;
using testing::TestBank;
using testing::Usd;
using enum CommandKind;
using enum CommandOutcome;

// A bank "a" where the payer has 250 and the payee nothing.
class ParticipantTest : public ::testing::Test {
 protected:
  ParticipantTest() {
    bank.Open("payer", 250);
    bank.Open("payee", 0);
  }

  // Every hold is accounted for and the books balance.
  ~ParticipantTest() override {
    std::int64_t posted = 0, held = 0, incoming = 0, entries = 0, reserved = 0;
    for (const auto& [id, account] : bank.account_rows) {
      posted += account.posted;
      held += account.held;
      incoming += account.incoming;
    }
    for (const EntryRecord& entry : bank.entries) entries += entry.amount_minor_units;
    for (const auto& [id, transaction] : bank.transaction_rows) {
      if (transaction.state != BankTransactionState::kPrepared) continue;
      const int legs = !transaction.debit_account.empty() + !transaction.credit_account.empty();
      reserved += legs * transaction.amount.minor_units;
    }
    EXPECT_EQ(posted, 0);
    EXPECT_EQ(entries, 0);
    EXPECT_EQ(held, reserved);
    EXPECT_EQ(incoming, reserved);
  }

  AccountRecord& payer() { return bank.account_rows.at("payer"); }
  AccountRecord& payee() { return bank.account_rows.at("payee"); }

  TestBank bank;
  const PaymentOrder debit = Order(Id(1), "a", "b");
  const PaymentOrder credit = Order(Id(2), "b", "a");
  const PaymentOrder within = Order(Id(3), "a", "a");
};

// ---- Voting (rule 3) ----

TEST_F(ParticipantTest, Prepare_DebitLegIsHeldAndPostedAtCommit) {
  EXPECT_EQ(bank.Do(kPrepare, debit).outcome, kYes);
  EXPECT_EQ(payer().held, 100);
  EXPECT_EQ(payer().posted, 250);
  EXPECT_EQ(bank.Do(kCommit, debit).outcome, kDone);
  EXPECT_EQ(payer().held, 0);
  EXPECT_EQ(payer().posted, 150);
  EXPECT_EQ(bank.account_rows.at("clearing:USD").posted, 100);
  EXPECT_EQ(bank.EntriesOf(debit.id), 2u);
}

TEST_F(ParticipantTest, Prepare_CreditLegIsPendingUntilCommit) {
  EXPECT_EQ(bank.Do(kPrepare, credit).outcome, kYes);
  EXPECT_EQ(payee().posted, 0);
  EXPECT_EQ(payee().incoming, 100);
  EXPECT_EQ(bank.Do(kCommit, credit).outcome, kDone);
  EXPECT_EQ(payee().posted, 100);
  EXPECT_EQ(bank.account_rows.at("clearing:USD").posted, -100);
}

TEST_F(ParticipantTest, Prepare_WithinOneBankPostsBothLegsInFourEntries) {
  EXPECT_EQ(bank.Do(kPrepare, within).outcome, kYes);
  EXPECT_EQ(payer().held, 100);
  EXPECT_EQ(bank.Do(kCommit, within).outcome, kDone);
  EXPECT_EQ(payer().posted, 150);
  EXPECT_EQ(payee().posted, 100);
  EXPECT_EQ(bank.account_rows.at("clearing:USD").posted, 0);
  EXPECT_EQ(bank.EntriesOf(within.id), 4u);
}

TEST_F(ParticipantTest, Prepare_WithinOneBankHoldsBothLegsOrNone) {
  payee().posted = std::numeric_limits<std::int64_t>::max() - 50;  // cannot take 100 more
  EXPECT_EQ(bank.Do(kPrepare, within).reason_code, reason::kAmountTooLarge);
  EXPECT_EQ(payer().held, 0);
  EXPECT_EQ(payee().incoming, 0);
  payee().posted = 0;
}

// A gateway of a later version may know currencies that this one does not.
TEST_F(ParticipantTest, Prepare_InACurrencyThatIsNotKnown_IsRefusedForGoodWithoutItsTerms) {
  PaymentOrder order = debit;
  order.amount.currency = Currency();
  for (int time = 0; time < 2; ++time) {
    const BankReply reply = bank.Do(kPrepare, order);
    EXPECT_EQ(reply.outcome, kNo);
    EXPECT_EQ(reply.reason_code, reason::kAccountCurrency);
  }
  const BankTransactionRecord& record = bank.transaction_rows.at(order.id);
  EXPECT_EQ(record.state, BankTransactionState::kAborted);
  EXPECT_EQ(record.reason_code, reason::kAccountCurrency);
  EXPECT_TRUE(record.debit_account.empty() && record.credit_account.empty());
  EXPECT_EQ(record.amount, Money());
  EXPECT_EQ(bank.Do(kAbort, order).outcome, kDone);
}

TEST_F(ParticipantTest, Prepare_RefusalsNameTheReasonAndAreDurable) {
  const auto refuse = [&](PaymentOrder order, std::uint8_t n) {
    order.id = Id(n);
    const BankReply reply = bank.Do(kPrepare, order);
    EXPECT_EQ(reply.outcome, kNo);
    EXPECT_EQ(bank.transaction_rows.at(order.id).state, BankTransactionState::kAborted);
    EXPECT_GE(bank.transaction_rows.at(order.id).amount.minor_units, 0);
    return reply.reason_code;
  };
  PaymentOrder order = debit;
  order.amount = Usd(251);
  EXPECT_EQ(refuse(order, 10), reason::kInsufficientFunds);
  order.amount = Usd(0);
  EXPECT_EQ(refuse(order, 11), reason::kInvalidAmount);
  order.amount = Usd(-5);
  EXPECT_EQ(refuse(order, 12), reason::kInvalidAmount);
  order.amount = Usd(limits::kMaxAmountMinorUnits + 1);
  EXPECT_EQ(refuse(order, 13), reason::kInvalidAmount);
  order.amount = {100, *Currency::Parse("EUR")};
  EXPECT_EQ(refuse(order, 14), reason::kAccountCurrency);
  order = debit;
  order.from.account_id = "nobody";
  EXPECT_EQ(refuse(order, 15), reason::kDebtorAccountUnknown);
  order.from.account_id = "opening:USD";
  EXPECT_EQ(refuse(order, 16), reason::kDebtorAccountUnknown);
  order = credit;
  order.to.account_id = "nobody";
  EXPECT_EQ(refuse(order, 17), reason::kCreditorAccountUnknown);
  order = within;
  order.to.account_id = "payer";
  EXPECT_EQ(refuse(order, 18), reason::kForbidden);
  payer().status = AccountStatus::kBlocked;
  EXPECT_EQ(refuse(debit, 19), reason::kAccountBlocked);
  payer().status = AccountStatus::kClosed;
  EXPECT_EQ(refuse(debit, 20), reason::kAccountClosed);
}

TEST_F(ParticipantTest, Prepare_NoStaysNoWhenTheFundsArrive) {
  PaymentOrder order = debit;
  order.amount = Usd(251);
  EXPECT_EQ(bank.Do(kPrepare, order).outcome, kNo);
  bank.Step({DirectInput{{1, 0}, Id(50), "payer", Usd(1000), true}});
  EXPECT_EQ(bank.Do(kPrepare, order).reason_code, reason::kInsufficientFunds);
}

TEST_F(ParticipantTest, Prepare_TwoInOneBatchCannotSpendTheSameMoney) {
  PaymentOrder first = debit, second = debit;
  first.amount = second.amount = Usd(150);
  second.id = Id(9);
  const auto effects = bank.Step(
      {CommandInput{{1, 0}, bank.Command(kPrepare, first)}, CommandInput{{1, 1}, bank.Command(kPrepare, second)}});
  EXPECT_EQ(effects.answers.at(0).reply.outcome, kYes);
  EXPECT_EQ(effects.answers.at(1).reply.reason_code, reason::kInsufficientFunds);
}

TEST_F(ParticipantTest, Prepare_WithoutANamedAccountHereIsRefused) {
  PaymentOrder order = within;
  order.from.account_id.clear();
  EXPECT_EQ(bank.Do(kPrepare, order).outcome, kViolation) << "else the payee is paid out of nothing";
  EXPECT_EQ(bank.Do(kPrepare, Order(Id(5), "b", "c")).outcome, kViolation);
  EXPECT_EQ(payee().incoming, 0);
}

// ---- Late, duplicate and reordered messages (rule 8) ----

TEST_F(ParticipantTest, PrepareAfterAbort_IsRefusedByTheTombstone) {
  EXPECT_EQ(bank.Do(kAbort, debit).outcome, kDone);
  bank.Restart();
  EXPECT_EQ(bank.Do(kPrepare, debit).outcome, kNo);
  EXPECT_EQ(payer().held, 0);
}

TEST_F(ParticipantTest, StorageFull_RefusesNewPreparesAndKeepsItsPromises) {
  EXPECT_EQ(bank.Do(kPrepare, debit).outcome, kYes);
  const auto when_full = [&](CommandKind kind, const PaymentOrder& order) {
    return bank.Step({CommandInput{{1, 0}, bank.Command(kind, order), true}});
  };
  const auto refused = when_full(kPrepare, credit);
  EXPECT_EQ(refused.answers.at(0).reply.outcome, kNo);
  EXPECT_EQ(refused.answers.at(0).reply.reason_code, reason::kStorageFull);
  EXPECT_TRUE(refused.records.transactions.empty());
  EXPECT_EQ(payee().incoming, 0);
  EXPECT_EQ(when_full(kPrepare, debit).answers.at(0).reply.outcome, kYes) << "a vote is a promise";
  EXPECT_EQ(when_full(kCommit, debit).answers.at(0).reply.outcome, kDone);
  EXPECT_EQ(payer().posted, 150);
  EXPECT_EQ(bank.Do(kPrepare, credit).outcome, kYes) << "with room again it is a new question";
  EXPECT_EQ(when_full(kAbort, credit).answers.at(0).reply.outcome, kDone);
}

TEST_F(ParticipantTest, Repeated_EveryCommandHasOneEffect) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bank.Do(kPrepare, debit).outcome, kYes);
  EXPECT_EQ(payer().held, 100);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bank.Do(kCommit, debit).outcome, kDone);
  EXPECT_EQ(payer().posted, 150);
  EXPECT_EQ(bank.EntriesOf(debit.id), 2u);
  EXPECT_EQ(bank.Do(kPrepare, credit).outcome, kYes);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bank.Do(kAbort, credit).outcome, kDone);
  EXPECT_EQ(payee().posted, 0);
}

TEST_F(ParticipantTest, Repeated_InOneBatchWithTheFirstHasOneEffect) {
  std::vector<ParticipantInput> inputs;
  for (const CommandKind kind : {kPrepare, kPrepare, kCommit, kPrepare, kCommit}) {
    inputs.emplace_back(CommandInput{{1, 0}, bank.Command(kind, debit)});
  }
  const auto effects = bank.Step(std::move(inputs));
  ASSERT_EQ(effects.answers.size(), 5u);
  EXPECT_EQ(effects.records.transactions.size(), 1u);
  EXPECT_EQ(payer().posted, 150);
  EXPECT_EQ(payer().held, 0);
  EXPECT_EQ(bank.EntriesOf(debit.id), 2u);
  EXPECT_EQ(bank.participant().prepared_count(), 0u);
}

TEST_F(ParticipantTest, Repeated_InOneBatchWhileHeldInMemoryHasOneEffect) {
  bank.Do(kPrepare, debit);
  const auto effects = bank.Step(
      {CommandInput{{1, 0}, bank.Command(kCommit, debit)}, InquiryAnswered{debit.id, Decision::kCommit, 1},
       CommandInput{{1, 1}, bank.Command(kCommit, debit)}, CommandInput{{1, 2}, bank.Command(kAbort, debit)}});
  EXPECT_EQ(effects.answers.at(1).reply.outcome, kDone);
  EXPECT_EQ(effects.answers.at(2).reply.outcome, kViolation);
  EXPECT_EQ(bank.EntriesOf(debit.id), 2u);
}

TEST_F(ParticipantTest, Contradiction_IsRefusedReportedAndChangesNothing) {
  const auto expect_violation = [&](CommandKind kind, const PaymentOrder& order) {
    const auto before = bank.account_rows;
    const auto effects = bank.Step({CommandInput{{1, 0}, bank.Command(kind, order)}});
    EXPECT_EQ(effects.answers.at(0).reply.outcome, kViolation);
    ASSERT_EQ(effects.events.size(), 1u);
    EXPECT_EQ(effects.events[0].kind, ParticipantEvent::Kind::kProtocolViolation);
    EXPECT_TRUE(effects.records.transactions.empty() && effects.records.accounts.empty());
    EXPECT_EQ(bank.account_rows, before);
  };
  expect_violation(kCommit, debit);  // never prepared
  bank.Do(kPrepare, debit);
  bank.Do(kCommit, debit);
  expect_violation(kAbort, debit);
  bank.Do(kPrepare, credit);
  bank.Do(kAbort, credit);
  expect_violation(kCommit, credit);
}

TEST_F(ParticipantTest, Prepare_WithTheIdOfAnotherPaymentIsRefused) {
  bank.Do(kPrepare, debit);
  PaymentOrder other = debit;
  other.amount = Usd(1);
  EXPECT_EQ(bank.Do(kPrepare, other).reason_code, reason::kTransactionIdReused);
  EXPECT_EQ(payer().held, 100);
}

// ---- Fencing (rule 9) ----

TEST_F(ParticipantTest, StaleEpoch_IsRefusedForEveryCommand) {
  bank.Do(kPrepare, debit, 5);
  EXPECT_EQ(bank.Do(kPrepare, debit, 6).outcome, kYes);  // a newer gateway has spoken
  bank.Restart();
  for (const CommandKind kind : {kPrepare, kCommit, kAbort}) EXPECT_EQ(bank.Do(kind, debit, 5).outcome, kStale);
  EXPECT_EQ(bank.transaction_rows.at(debit.id).state, BankTransactionState::kPrepared);
  EXPECT_EQ(bank.Do(kCommit, debit, 6).outcome, kDone);
}

TEST_F(ParticipantTest, StaleEpoch_CannotPrepareWhatANewerGatewayAborted) {
  bank.Do(kAbort, debit, 2);
  EXPECT_EQ(bank.Do(kPrepare, debit, 1).outcome, kStale);
}

// ---- In doubt (rules 6 and 10) ----

TEST_F(ParticipantTest, InDoubt_KeepsTheHoldForEverAndKeepsAsking) {
  bank.Do(kPrepare, debit);
  EXPECT_TRUE(bank.Step().inquiries.empty());  // the decision is not late yet
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(bank.participant().NextDeadline());
    bank.now.monotonic = std::max(bank.now.monotonic, *bank.participant().NextDeadline());
    const auto effects = bank.Step();
    ASSERT_EQ(effects.inquiries.size(), 1u);
    EXPECT_EQ(effects.inquiries[0].id, debit.id);
    EXPECT_EQ(effects.inquiries[0].gateway_store_id, kStoreId);
    EXPECT_EQ(effects.inquiries[0].gateway_sequence, 7u);
    bank.Pass(seconds(100'000));
    EXPECT_TRUE(bank.Step().inquiries.empty()) << "one inquiry at a time";
    bank.Step({InquiryAnswered{debit.id, i % 2 == 0 ? std::nullopt : std::optional(Decision::kPending), 1}});
    bank.Step();
    EXPECT_EQ(payer().held, 100);
  }
}

TEST_F(ParticipantTest, InDoubt_TheGatewaysAnswerDecides) {
  bank.Do(kPrepare, debit);
  bank.Do(kPrepare, credit);
  bank.Step({InquiryAnswered{debit.id, Decision::kCommit, 1}, InquiryAnswered{credit.id, Decision::kAbort, 1}});
  EXPECT_EQ(payer().posted, 150);
  EXPECT_EQ(payee().incoming, 0);
  EXPECT_EQ(bank.participant().prepared_count(), 0u);
  bank.Step({InquiryAnswered{credit.id, Decision::kCommit, 1}});  // too late: already aborted
  EXPECT_EQ(payee().posted, 0);
}

TEST_F(ParticipantTest, InDoubt_TheAnswerOfAReplacedGatewayIsIgnoredAndAskedAgain) {
  bank.Do(kPrepare, debit, 5);
  bank.Pass(seconds(10));
  ASSERT_EQ(bank.Step().inquiries.size(), 1u);
  bank.Step({InquiryAnswered{debit.id, Decision::kAbort, 4}});
  EXPECT_EQ(payer().held, 100);
  bank.Pass(seconds(10));
  EXPECT_EQ(bank.Step().inquiries.size(), 1u);
}

TEST_F(ParticipantTest, Restart_AsksAtOnceAboutEverythingPrepared) {
  bank.Do(kPrepare, debit);
  bank.Do(kPrepare, credit);
  bank.Do(kPrepare, within);
  bank.Do(kAbort, within);
  bank.Restart();
  EXPECT_EQ(bank.participant().NextDeadline(), bank.now.monotonic);
  const auto effects = bank.Step();
  ASSERT_EQ(effects.inquiries.size(), 2u);
  EXPECT_EQ(effects.inquiries[0].gateway_sequence, 7u) << "what the gateway had done is remembered too";
  EXPECT_EQ(bank.Do(kCommit, debit).outcome, kDone);
  EXPECT_EQ(bank.Do(kAbort, credit).outcome, kDone);
}

TEST_F(ParticipantTest, GatewaySeen_TheHighestSequenceCounts) {
  BankCommand command = bank.Command(kPrepare, debit);
  command.gateway_sequence = 9;
  bank.Do(command);
  command.gateway_sequence = 8;  // overtaken on the way
  bank.Do(command);
  EXPECT_EQ(bank.gateway_seen, (GatewaySeen{kStoreId, 9}));
}

// ---- Wall clock (rule 13) ----

TEST_F(ParticipantTest, ClockJump_DecidesNothing) {
  bank.Do(kPrepare, debit);
  bank.now.wall += std::chrono::hours(24);
  EXPECT_TRUE(bank.Step().inquiries.empty());
  bank.now.wall -= std::chrono::hours(48);
  bank.Pass(seconds(10));
  EXPECT_EQ(bank.Step().inquiries.size(), 1u);
}

// ---- The bank's own transactions ----

TEST_F(ParticipantTest, Direct_IsIdempotentAndBoundToItsContent) {
  const DirectInput withdraw{{1, 0}, Id(60), "payer", Usd(50), false};
  for (int i = 0; i < 2; ++i) {
    const auto effects = bank.Step({withdraw, withdraw});
    for (const DirectAnswer& answer : effects.direct_answers) EXPECT_EQ(answer.posted, Usd(200));
  }
  EXPECT_EQ(payer().posted, 200);
  DirectInput other = withdraw;
  other.deposit = true;
  EXPECT_EQ(bank.Step({other}).direct_answers.at(0).reason_code, reason::kDuplicate);
  EXPECT_EQ(bank.account_rows.at("cash:USD").posted, 50);
}

TEST_F(ParticipantTest, Direct_CannotTakeWhatIsHeldNorTheIdOfAPayment) {
  bank.Do(kPrepare, debit);
  EXPECT_EQ(bank.Step({DirectInput{{1, 0}, Id(60), "payer", Usd(151), false}}).direct_answers.at(0).reason_code,
            reason::kInsufficientFunds);
  EXPECT_EQ(bank.Step({DirectInput{{1, 0}, debit.id, "payer", Usd(1), false}}).direct_answers.at(0).reason_code,
            reason::kDuplicate);
  bank.Step({DirectInput{{1, 0}, Id(61), "payer", Usd(10), true}});
  EXPECT_EQ(bank.Do(kCommit, Order(Id(61))).outcome, kViolation);
}

TEST_F(ParticipantTest, OpenAccount_AgainIsIgnored) {
  bank.Open("payer", 1'000'000);
  EXPECT_EQ(payer().posted, 250);
  EXPECT_EQ(bank.account_rows.at("opening:USD").posted, -250);
}

}  // namespace
}  // namespace strife::protocol
