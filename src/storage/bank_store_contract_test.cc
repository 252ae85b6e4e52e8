// Every promise of env/bank_store.h, on every implementation.
#include "storage/store_test_support.h"

namespace strife {
namespace {

using protocol::AuditEvent;
using ::testing::ElementsAre;

using protocol::AccountKind;
using protocol::AccountRecord;
using protocol::AccountStatus;
using protocol::BankTransactionKind;
using protocol::BankTransactionRecord;
using protocol::BankTransactionState;
using protocol::EntryRecord;

template <typename Maker>
class BankStoreContract : public ::testing::Test {
 protected:
  BankStoreContract() { Reopen(); }

  // As after a crash or restart: only what was committed is there.
  void Reopen() {
    store_.reset();
    store_ = maker_.Bank();
    const Status opened = store_->Open("bank1");
    if (!opened) ADD_FAILURE() << opened.error().message;
  }
  void Commit(const BankRecords& records) {
    const Status done = store_->Commit(records);
    ASSERT_TRUE(done) << done.error().message;
  }
  void ExpectRefused(const BankRecords& records) {
    const Status refused = store_->Commit(records);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInternal) << refused.error().message;
  }
  AccountRecord Clearing(std::int64_t posted) {
    AccountRecord account = AccountOf("clearing:USD", posted);
    account.kind = AccountKind::kClearing;
    return account;
  }

  Maker maker_;
  std::unique_ptr<BankStore> store_;
};

TYPED_TEST_SUITE(BankStoreContract, Makers);

TYPED_TEST(BankStoreContract, Trace_StaysUntilAnotherComesWithItsTransaction) {
  const std::string bytes("\0\1way", 5);
  BankRecords records{{TransactionOf(1), TransactionOf(2)}, {}, {}, std::nullopt};
  records.traces = {{IdOf(2), bytes}};
  this->Commit(records);
  this->Commit({{TransactionOf(2)}, {}, {}, std::nullopt});
  this->Reopen();
  const BankRows rows = this->store_->Load({{IdOf(1), IdOf(2)}, {}}).value();
  EXPECT_EQ(rows.traces.size(), 1u);
  EXPECT_EQ(rows.traces.at(IdOf(2)), bytes);
  BankTransactionRecord ended = TransactionOf(2);
  ended.state = BankTransactionState::kCommitted;
  records = {{TransactionOf(1), ended}, {}, {}, std::nullopt};
  records.traces = {{IdOf(2), "two"}};
  this->Commit(records);
  auto reader = this->maker_.BankReading();
  EXPECT_EQ(reader->FindTrace(IdOf(1)).value(), "");
  EXPECT_EQ(reader->FindTrace(IdOf(2)).value(), "two");
  EXPECT_EQ(reader->FindTrace(IdOf(3)).value(), "");
}

TYPED_TEST(BankStoreContract, Open_AnotherBanksStore_IsRefused) {
  this->store_.reset();
  auto store = this->maker_.Bank();
  const Status refused = store->Open("bank2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidInput);
  EXPECT_NE(refused.error().message.find("bank1"), std::string::npos);
  EXPECT_TRUE(store->Open("bank1"));
}

TYPED_TEST(BankStoreContract, Commit_EverythingWritten_IsThereAfterReopening) {
  BankTransactionRecord transaction = TransactionOf(1);
  BankTransactionRecord tombstone;
  tombstone.id = IdOf(2);
  tombstone.state = BankTransactionState::kAborted;
  tombstone.reason_code = "AC01";
  AccountRecord account = AccountOf("A-1", 1000, 500);
  account.incoming = 7;
  this->Commit(
      {{transaction, tombstone}, {account, this->Clearing(-3)}, {EntryOf(1, 0, -500)}, GatewaySeen{IdOf(7), 9}});
  this->Reopen();
  const BankRows rows = this->store_->Load({{IdOf(1), IdOf(2), IdOf(3)}, {"A-1", "clearing:USD", "A-1", "no"}}).value();
  EXPECT_EQ(rows.transactions.size(), 2u);
  EXPECT_EQ(rows.transactions.at(IdOf(1)), transaction);
  EXPECT_EQ(rows.transactions.at(IdOf(2)), tombstone);
  EXPECT_EQ(rows.accounts.size(), 2u);
  EXPECT_EQ(rows.accounts.at("A-1"), account);
  EXPECT_EQ(this->store_->LoadGatewaySeen().value(), (GatewaySeen{IdOf(7), 9}));
  auto reader = this->maker_.BankReading();
  EXPECT_EQ(reader->FindAccount("clearing:USD").value(), this->Clearing(-3));
  EXPECT_EQ(reader->FindAccount("no").value(), std::nullopt);
  EXPECT_EQ(reader->FindTransaction(IdOf(1)).value(), transaction);
  EXPECT_EQ(reader->FindTransaction(IdOf(3)).value(), std::nullopt);
}

TYPED_TEST(BankStoreContract, LoadGatewaySeen_NewStore_IsNothing) {
  EXPECT_EQ(this->store_->LoadGatewaySeen().value(), std::nullopt);
}

TYPED_TEST(BankStoreContract, LoadPrepared_FindsExactlyThePrepared) {
  BankTransactionRecord second = TransactionOf(2);
  this->Commit({{TransactionOf(1), second, TransactionOf(3)}, {}, {}, {}});
  second.state = BankTransactionState::kCommitted;
  this->Commit({{second}, {}, {}, {}});
  this->Reopen();
  EXPECT_EQ(this->store_->LoadPrepared().value(), (std::vector{TransactionOf(1), TransactionOf(3)}));
}

TYPED_TEST(BankStoreContract, Commit_TransactionAgain_ChangesOnlyItsProgress) {
  this->Commit({{TransactionOf(1)}, {}, {}, {}});
  BankTransactionRecord again = TransactionOf(1);
  again.state = BankTransactionState::kAborted;
  again.epoch = 8;
  again.reason_code = "AB05";
  again.updated_at = At(99);
  const BankTransactionRecord expected = again;
  again.kind = BankTransactionKind::kDirect;
  again.amount.minor_units = 1;
  again.debit_account = "A-2";
  again.created_at = At(98);
  this->Commit({{again}, {}, {}, {}});
  EXPECT_EQ(this->maker_.BankReading()->FindTransaction(IdOf(1)).value(), expected);
}

TYPED_TEST(BankStoreContract, Commit_AccountAgain_ChangesOnlyStatusAndTotals) {
  this->Commit({{}, {AccountOf("A-1", 10)}, {}, {}});
  AccountRecord again = AccountOf("A-1", 20, 5);
  again.status = AccountStatus::kBlocked;
  again.incoming = 3;
  const AccountRecord expected = again;
  again.currency = *Currency::Parse("EUR");
  this->Commit({{}, {again}, {}, {}});
  EXPECT_EQ(this->maker_.BankReading()->FindAccount("A-1").value(), expected);
}

TYPED_TEST(BankStoreContract, Commit_EntryThatExists_IsRefusedAndWritesNothing) {
  this->Commit({{}, {AccountOf("A-1", 10)}, {EntryOf(1, 0, 10)}, {}});
  this->ExpectRefused({{TransactionOf(1)}, {AccountOf("A-1", 20)}, {EntryOf(1, 1, 5), EntryOf(1, 0, 10)}, {}});
  this->ExpectRefused({{}, {}, {EntryOf(2, 0, 5), EntryOf(2, 0, 5)}, {}});
  this->Reopen();
  auto snapshot = this->maker_.BankReading()->Snapshot().value();
  EXPECT_EQ(Drain(snapshot->Entries()), std::vector{EntryOf(1, 0, 10)});
  EXPECT_TRUE(Drain(snapshot->Transactions()).empty());
  EXPECT_EQ(Drain(snapshot->Accounts()), std::vector{AccountOf("A-1", 10)});
}

TYPED_TEST(BankStoreContract, Commit_RecordsThatMayNotExist_AreRefused) {
  this->ExpectRefused({{}, {AccountOf("A-1", 10, 11)}, {}, {}});
  this->ExpectRefused({{}, {AccountOf("A-1", -1)}, {}, {}});
  this->ExpectRefused({{}, {AccountOf("A-1", 10, -1)}, {}, {}});
  this->ExpectRefused({{}, {}, {EntryOf(1, 0, 0)}, {}});
  BankTransactionRecord nobody = TransactionOf(1);
  nobody.debit_account.clear();
  this->ExpectRefused({{nobody}, {}, {}, {}});
  this->Commit({{}, {AccountOf("A-1", 10, 10), this->Clearing(-1)}, {}, {}});
  this->ExpectRefused({{}, {AccountOf("A-1", 9, 10)}, {}, {}});
}

TYPED_TEST(BankStoreContract, Snapshot_AllThreeScans_AreInKeyOrderAndOfOneMoment) {
  this->Commit({{TransactionOf(2), TransactionOf(1)},
                {AccountOf("B-1", 1), AccountOf("A-1", 2)},
                {EntryOf(2, 1, 1), EntryOf(2, 0, -1), EntryOf(1, 0, 4)},
                {}});
  auto reader = this->maker_.BankReading();
  auto snapshot = reader->Snapshot().value();
  this->Commit({{TransactionOf(3)}, {AccountOf("A-1", 9)}, {EntryOf(3, 0, 4)}, {}});
  EXPECT_EQ(Drain(snapshot->Transactions()), (std::vector{TransactionOf(1), TransactionOf(2)}));
  EXPECT_EQ(Drain(snapshot->Entries()), (std::vector{EntryOf(1, 0, 4), EntryOf(2, 0, -1), EntryOf(2, 1, 1)}));
  EXPECT_EQ(Drain(snapshot->Accounts()), (std::vector{AccountOf("A-1", 2), AccountOf("B-1", 1)}));
  snapshot = reader->Snapshot().value();
  EXPECT_EQ(Drain(snapshot->Transactions()).size(), 3u);
}

TYPED_TEST(BankStoreContract, Snapshot_CursorsWalkedSideBySideOutliveIt) {
  this->Commit({{TransactionOf(1), TransactionOf(2)}, {}, {EntryOf(1, 0, 4), EntryOf(2, 0, 4)}, {}});
  auto snapshot = this->maker_.BankReading()->Snapshot().value();
  auto transactions = snapshot->Transactions().value();
  auto entries = snapshot->Entries().value();
  snapshot.reset();
  for (std::uint32_t i = 1; i <= 2; ++i) {
    EXPECT_EQ(transactions->Next().value()->id, IdOf(i));
    EXPECT_EQ(entries->Next().value()->transaction_id, IdOf(i));
  }
  EXPECT_EQ(transactions->Next().value(), std::nullopt);
}

// What operators decide, as it grows: proposed, forced, mixed.
protocol::HeuristicRecord HeuristicOf(std::uint32_t number, protocol::HeuristicState state) {
  protocol::HeuristicRecord record;
  record.transaction_id = IdOf(number);
  record.state = state;
  record.decision = protocol::Decision::kCommit;
  record.proposed_by = "alice";
  record.proposed_at = At(1);
  if (state == protocol::HeuristicState::kProposed) return record;
  record.confirmed_by = "bob";
  record.forced_at = At(2);
  if (state == protocol::HeuristicState::kForced) return record;
  record.decided_at = At(3);
  return record;
}

TYPED_TEST(BankStoreContract, Heuristics_AreReplacedAndAllButTheAgreedLoaded) {
  using enum protocol::HeuristicState;
  this->Commit({{}, {}, {}, {}, {HeuristicOf(1, kProposed), HeuristicOf(2, kProposed), HeuristicOf(3, kProposed)}});
  this->Commit({{}, {}, {}, {}, {HeuristicOf(2, kMixed), HeuristicOf(3, kAgreed)}});
  this->Reopen();
  EXPECT_EQ(this->store_->LoadHeuristics().value(), (std::vector{HeuristicOf(1, kProposed), HeuristicOf(2, kMixed)}));
  auto snapshot = this->maker_.BankReading()->Snapshot().value();
  EXPECT_EQ(Drain(snapshot->Heuristics()),
            (std::vector{HeuristicOf(1, kProposed), HeuristicOf(2, kMixed), HeuristicOf(3, kAgreed)}));
}

TYPED_TEST(BankStoreContract, LoadPrepared_FindsWhatOperatorsHaveForcedUntilTheDecisionIsKnown) {
  using enum protocol::HeuristicState;
  BankTransactionRecord forced = TransactionOf(1);
  forced.state = BankTransactionState::kCommitted;
  BankTransactionRecord known = TransactionOf(3);
  known.state = BankTransactionState::kCommitted;
  this->Commit({{forced, TransactionOf(2), known}, {}, {}, {}, {HeuristicOf(1, kForced), HeuristicOf(3, kMixed)}});
  this->Reopen();
  EXPECT_EQ(this->store_->LoadPrepared().value(), (std::vector{forced, TransactionOf(2)}));
}

TYPED_TEST(BankStoreContract, Snapshot_KnowsWhoseBooksItHasAndTheirRunningSums) {
  this->Commit({{}, {}, {EntryOf(1, 0, -5), EntryOf(1, 1, 4)}, {}});
  auto snapshot = this->maker_.BankReading()->Snapshot().value();
  this->Commit({{}, {}, {EntryOf(2, 0, -5)}, {}});
  EXPECT_EQ(snapshot->BankId().value(), "bank1");
  const auto sums = snapshot->RunningSums().value();
  ASSERT_EQ(sums.size(), 1u);
  EXPECT_EQ(sums[0].debits, 5);
  EXPECT_EQ(sums[0].credits, 4);
}

TYPED_TEST(BankStoreContract, Totals_SumEntriesClearingAndHoldsByCurrency) {
  EntryRecord yen = EntryOf(2, 0, 70);
  yen.currency = *Currency::Parse("JPY");
  this->Commit({{}, {AccountOf("A-1", 10, 4), AccountOf("B-1", 10, 5)}, {EntryOf(1, 0, -5), EntryOf(1, 1, 5)}, {}});
  this->Commit({{}, {this->Clearing(-6)}, {EntryOf(3, 0, -2), yen}, {}});
  this->Reopen();
  const auto totals = this->maker_.BankReading()->Totals().value();
  ASSERT_EQ(totals.size(), 2u);
  EXPECT_EQ(totals[0].currency.code(), "JPY");
  EXPECT_EQ(totals[0].credits, 70);
  EXPECT_EQ(totals[1].currency, Usd());
  EXPECT_EQ(totals[1].debits, 7);
  EXPECT_EQ(totals[1].credits, 5);
  EXPECT_EQ(totals[1].clearing, -6);
  EXPECT_EQ(totals[1].held, 9);
  EXPECT_EQ(totals[1].accounts, 2u);
}

TYPED_TEST(BankStoreContract, Totals_TooLargeToSum_StayAtTheLargest) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  this->Commit({{}, {}, {EntryOf(1, 0, kMost), EntryOf(1, 1, 5), EntryOf(1, 2, -kMost - 1)}, {}});
  this->Commit({{}, {}, {EntryOf(2, 0, kMost), EntryOf(2, 1, -1)}, {}});
  const auto totals = this->maker_.BankReading()->Totals().value();
  EXPECT_EQ(totals.at(0).credits, kMost);
  EXPECT_EQ(totals.at(0).debits, kMost);
}

TYPED_TEST(BankStoreContract, Audit_EndedTransactionsAndWhatElseIsToTell_FormOneChain) {
  BankTransactionRecord committed = TransactionOf(2);
  committed.state = BankTransactionState::kCommitted;
  this->Commit({.transactions = {TransactionOf(1), committed}, .accounts = {}, .entries = {}, .gateway_seen = {}});
  this->Reopen();
  this->Commit({.transactions = {},
                .accounts = {},
                .entries = {},
                .gateway_seen = {},
                .audit = {AuditOf(AuditEvent::kForced, "operator/olga")}});
  const auto entries = ExpectChain(this->maker_.BankReading()->Audit());
  EXPECT_THAT(Described(entries), ElementsAre("10 " + IdOf(2).ToString(), "51 operator/olga"));
}

TYPED_TEST(BankStoreContract, Audit_CommitRefused_LeavesNoEntryAndNoGap) {
  BankTransactionRecord aborted = TransactionOf(1);
  aborted.state = BankTransactionState::kAborted;
  this->ExpectRefused({{aborted}, {AccountOf("A-1", 10, 11)}, {}, {}});
  this->Commit({{aborted}, {}, {}, {}});
  EXPECT_EQ(ExpectChain(this->maker_.BankReading()->Audit()).size(), 1u);
}

}  // namespace
}  // namespace strife
