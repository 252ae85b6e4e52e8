// Each checker finds what it is there for, and says nothing about a payment that goes as it should.
#include "sim/checkers.h"

#include <gtest/gtest.h>

#include "sim/test_support.h"

namespace strife::sim {
namespace {

using protocol::AccountKind;
using protocol::AccountRecord;
using protocol::BankTransactionKind;
using protocol::BankTransactionRecord;
using protocol::BankTransactionState;
using protocol::CommandKind;
using protocol::CommandOutcome;
using protocol::EntryRecord;
using protocol::PaymentState;
using testing::ExpectSound;
using testing::Found;
using testing::Payment;
using testing::Usd;

const Uuid kId = Payment().order.id;

// A network of two banks that are told what to have recorded. account1 of each has 1000.
class CheckersTest : public ::testing::Test {
 protected:
  CheckersTest() {
    for (std::size_t bank : {0, 1}) {
      BankRecords records;
      BankTransactionRecord opening;
      opening.id = Uuid{{7, static_cast<std::uint8_t>(bank)}};
      opening.kind = BankTransactionKind::kOpening;
      opening.state = BankTransactionState::kCommitted;
      opening.credit_account = AccountName(bank);
      opening.amount = Usd(1000);
      records.transactions = {opening};
      records.entries = invariant::ExpectedEntries(opening);
      records.accounts = {Account(AccountName(bank), 1000), Account("opening:USD", -1000)};
      checkers_.BankCommitted(bank, records);
    }
  }

  static AccountRecord Account(std::string id, std::int64_t posted, std::int64_t held = 0, std::int64_t incoming = 0) {
    AccountRecord account;
    account.kind = id.starts_with("clearing")  ? AccountKind::kClearing
                   : id.starts_with("opening") ? AccountKind::kOpening
                                               : AccountKind::kCustomer;
    account.account_id = std::move(id);
    account.currency = *Currency::Parse("USD");
    account.posted = posted;
    account.held = held;
    account.incoming = incoming;
    return account;
  }
  static BankTransactionRecord Transaction(std::size_t bank, BankTransactionState state) {
    BankTransactionRecord record;
    record.id = kId;
    record.state = state;
    (bank == 0 ? record.debit_account : record.credit_account) = AccountName(bank);
    record.amount = Usd(100);
    return record;
  }

  void Gateway(PaymentState state) {
    GatewayRecords records;
    records.payments.resize(1);
    records.payments[0].order = Payment().order;
    records.payments[0].state = state;
    checkers_.GatewayCommitted(records);
  }
  void Bank(std::size_t bank, BankTransactionState state, std::vector<AccountRecord> accounts) {
    BankRecords records;
    records.transactions = {Transaction(bank, state)};
    if (state == BankTransactionState::kCommitted)
      records.entries = invariant::ExpectedEntries(records.transactions[0]);
    records.accounts = std::move(accounts);
    checkers_.BankCommitted(bank, records);
  }
  void Prepare(std::size_t bank) {
    const std::string account = AccountName(bank);
    Bank(bank, BankTransactionState::kPrepared,
         bank == 0 ? std::vector{Account(account, 1000, 100), Account("clearing:USD", 0, 0, 100)}
                   : std::vector{Account(account, 1000, 0, 100), Account("clearing:USD", 0, 100)});
  }
  void Commit(std::size_t bank) {
    const std::int64_t change = bank == 0 ? -100 : 100;
    Bank(bank, BankTransactionState::kCommitted,
         {Account(AccountName(bank), 1000 + change), Account("clearing:USD", -change)});
  }
  void Abort(std::size_t bank) {
    Bank(bank, BankTransactionState::kAborted, {Account(AccountName(bank), 1000), Account("clearing:USD", 0)});
  }
  protocol::AddressedCommand Command(CommandKind kind) {
    protocol::AddressedCommand sent{BankName(0), {}};
    sent.command.kind = kind;
    sent.command.id = kId;
    return sent;
  }

  bool Finds(std::string_view invariant) { return Found(checkers_.violations(), invariant); }

  World world_{1};
  Checkers checkers_{world_, {BankName(0), BankName(1)}};
};

TEST_F(CheckersTest, PaymentThatCompletes_IsSound) {
  Gateway(PaymentState::kInitiated);
  checkers_.GatewaySends(Command(CommandKind::kPrepare));
  Prepare(0);
  Prepare(1);
  checkers_.BankAnswers(0, {CommandKind::kPrepare, kId, CommandOutcome::kYes, "", ""});
  Gateway(PaymentState::kCommitting);
  checkers_.GatewaySends(Command(CommandKind::kCommit));
  Commit(0);
  checkers_.BankAnswers(0, {CommandKind::kCommit, kId, CommandOutcome::kDone, "", ""});
  Commit(1);
  Gateway(PaymentState::kCompleted);
  ExpectSound(checkers_.violations(), "a sound payment");
}

TEST_F(CheckersTest, PaymentThatAborts_IsSound) {
  Gateway(PaymentState::kInitiated);
  Prepare(0);
  Gateway(PaymentState::kAborted);
  checkers_.GatewaySends(Command(CommandKind::kAbort));
  Abort(0);
  ExpectSound(checkers_.violations(), "a sound payment");
}

TEST_F(CheckersTest, CommittedHereAndAbortedThere_BreaksAgreement) {
  Prepare(0);
  Prepare(1);
  Commit(0);
  Abort(1);
  EXPECT_TRUE(Finds(invariant::kAgreement));
}

TEST_F(CheckersTest, CommitDecidedWithoutAVote_BreaksValidity) {
  Gateway(PaymentState::kInitiated);
  Prepare(0);
  Gateway(PaymentState::kCommitting);
  EXPECT_TRUE(Finds(invariant::kValidity));
}

TEST_F(CheckersTest, BankThatCommitsAlone_BreaksValidity) {
  Gateway(PaymentState::kInitiated);
  Prepare(0);
  Commit(0);
  EXPECT_TRUE(Finds(invariant::kValidity));
}

TEST_F(CheckersTest, DecisionThatChanges_BreaksStability) {
  Gateway(PaymentState::kInitiated);
  Prepare(0);
  Prepare(1);
  Gateway(PaymentState::kCommitting);
  Gateway(PaymentState::kAborted);
  EXPECT_TRUE(Finds(invariant::kStability));
}

TEST_F(CheckersTest, OutcomeThatChangesAtABank_BreaksStability) {
  Prepare(0);
  Abort(0);
  Commit(0);
  EXPECT_TRUE(Finds(invariant::kStability));
}

TEST_F(CheckersTest, CompletedBeforeABankHasPosted_IsNotTheTruth) {
  Gateway(PaymentState::kInitiated);
  Prepare(0);
  Prepare(1);
  Commit(0);
  Gateway(PaymentState::kCompleted);
  EXPECT_TRUE(Finds(invariant::kToldTheTruth));
}

TEST_F(CheckersTest, EntriesPostedTwice_BreakExactlyOnce) {
  Prepare(0);
  Commit(0);
  BankRecords again;
  again.transactions = {Transaction(0, BankTransactionState::kCommitted)};
  again.entries = invariant::ExpectedEntries(again.transactions[0]);
  checkers_.BankCommitted(0, again);
  EXPECT_TRUE(Finds(invariant::kExactlyOnce));
}

TEST_F(CheckersTest, OneSidedEntry_BreaksConservation) {
  BankRecords records;
  records.entries = {{kId, 0, AccountName(0), -100, *Currency::Parse("USD"), {}}};
  checkers_.BankCommitted(0, records);
  EXPECT_TRUE(Finds(invariant::kConservation));
}

TEST_F(CheckersTest, HoldWithoutATransaction_IsFound) {
  BankRecords records;
  records.accounts = {Account(AccountName(0), 1000, 50)};
  checkers_.BankCommitted(0, records);
  EXPECT_TRUE(Finds(invariant::kHolds));
}

TEST_F(CheckersTest, BalanceThatIsNotTheSumOfItsEntries_IsFound) {
  BankRecords records;
  records.accounts = {Account(AccountName(0), 1001)};
  checkers_.BankCommitted(0, records);
  EXPECT_TRUE(Finds(invariant::kBalances));
}

TEST_F(CheckersTest, HoldsBeyondTheBalance_AreAnOverdraft) {
  BankRecords records;
  records.accounts = {Account(AccountName(0), 1000, 1001)};
  checkers_.BankCommitted(0, records);
  EXPECT_TRUE(Finds(invariant::kNoOverdraft));
}

// ---- Durable before send ----

TEST_F(CheckersTest, CommandThatRestsOnNoRecord_IsFound) {
  checkers_.GatewaySends(Command(CommandKind::kPrepare));
  EXPECT_TRUE(Finds(kDurableBeforeSend));
}

TEST_F(CheckersTest, CommitBeforeTheDecisionIsDurable_IsFound) {
  Gateway(PaymentState::kInitiated);
  checkers_.GatewaySends(Command(CommandKind::kCommit));
  EXPECT_TRUE(Finds(kDurableBeforeSend));
}

TEST_F(CheckersTest, VoteBeforeTheHoldIsDurable_IsFound) {
  checkers_.BankAnswers(0, {CommandKind::kPrepare, kId, CommandOutcome::kYes, "", ""});
  EXPECT_TRUE(Finds(kDurableBeforeSend));
}

TEST_F(CheckersTest, ClientToldBeforeTheRecordIsDurable_IsFound) {
  Gateway(PaymentState::kInitiated);
  protocol::SubmitAnswer answer;
  answer.payment.order = Payment().order;
  answer.payment.state = PaymentState::kAborted;
  checkers_.GatewayAnswers(answer);
  EXPECT_TRUE(Finds(kDurableBeforeSend));
}

TEST_F(CheckersTest, InquiryAnsweredWithWhatIsNotDecided_IsFound) {
  Gateway(PaymentState::kInitiated);
  protocol::InquiryAnswer answer;
  answer.decision = protocol::Decision::kPending;
  checkers_.GatewayAnswers(kId, answer);
  EXPECT_FALSE(Finds(kDurableBeforeSend));
  answer.decision = protocol::Decision::kAbort;
  checkers_.GatewayAnswers(kId, answer);
  EXPECT_TRUE(Finds(kDurableBeforeSend));
}

}  // namespace
}  // namespace strife::sim
