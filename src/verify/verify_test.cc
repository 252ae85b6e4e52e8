// A clean set of books, made by the real participant, and one planted damage for each kind of violation.
#include "verify/verify.h"

#include <gmock/gmock.h>

#include <functional>

#include "protocol/ledger.h"
#include "protocol/participant.h"
#include "storage/memory/memory_bank_store.h"
#include "storage/memory/memory_gateway_store.h"

namespace strife::verify {
namespace {

using protocol::BankTransactionRecord;
using protocol::BankTransactionState;
using protocol::CommandKind;
using protocol::PaymentRecord;
using protocol::PaymentState;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Currency Usd() { return *Currency::Parse("USD"); }

Uuid IdOf(std::uint32_t number) {
  Uuid id;
  for (std::size_t i = 0; i < 4; ++i) id.bytes[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  id.bytes[15] = 1;
  return id;
}

// One bank: the participant on a memory store.
class Bank {
 public:
  explicit Bank(std::string bank_id) : store_(OpenMemoryBankStore(disk)), participant_({.bank_id = bank_id}) {
    EXPECT_TRUE(store_->Open(bank_id));
    reader = OpenMemoryBankReader(disk);
  }

  void Do(protocol::ParticipantInput input) {
    BankKeys keys;
    participant_.CollectKeys(input, keys);
    const auto effects = participant_.Step({}, {std::move(input)}, store_->Load(keys).value());
    ASSERT_TRUE(store_->Commit(effects.records));
    EXPECT_TRUE(effects.events.empty());
  }

  std::shared_ptr<MemoryBankDisk> disk = std::make_shared<MemoryBankDisk>();
  std::unique_ptr<BankReader> reader;

 private:
  std::unique_ptr<BankStore> store_;
  protocol::Participant participant_;
};

// Runs something once, when the gateway's payments have been read and the banks' have not: a network that is running.
class MovingReader final : public GatewayReader {
 public:
  MovingReader(GatewayReader& reader, std::function<void()> meanwhile)
      : reader_(reader), meanwhile_(std::move(meanwhile)) {}
  Result<std::optional<PaymentRecord>> FindPayment(const Uuid& id) override { return reader_.FindPayment(id); }
  Result<std::vector<PaymentRecord>> History(const HistoryQuery& query) override { return reader_.History(query); }
  Result<std::vector<protocol::BankRecord>> Banks() override { return reader_.Banks(); }
  Result<std::vector<Uuid>> SessionsRevokedSince(WallTime since) override {
    return reader_.SessionsRevokedSince(since);
  }
  Result<std::uint64_t> CountPayments() override { return reader_.CountPayments(); }
  Result<std::unique_ptr<Cursor<PaymentRecord>>> ScanPayments() override {
    auto cursor = reader_.ScanPayments();
    meanwhile_();
    return cursor;
  }
  Result<std::unique_ptr<AuditSnapshot>> Audit() override { return reader_.Audit(); }
  Result<PaymentsPage> Payments(const PaymentsQuery& query) override { return reader_.Payments(query); }
  Result<std::vector<SessionRecord>> Sessions(const SessionsQuery& query) override { return reader_.Sessions(query); }
  Result<std::vector<SuspensionRecord>> Suspensions() override { return reader_.Suspensions(); }

 private:
  GatewayReader& reader_;
  std::function<void()> meanwhile_;
};

class VerifyBooks : public ::testing::Test {
 protected:
  // Payments 1 (bank1 to bank2), 2 (within bank1) and 3 (bank2 to bank1) completed, 4 aborted.
  VerifyBooks() {
    Register("bank1");
    Register("bank2");
    bank1_.Do(protocol::OpenAccountInput{IdOf(100), "A", {10'000, Usd()}});
    bank1_.Do(protocol::OpenAccountInput{IdOf(101), "B", {10'000, Usd()}});
    bank2_.Do(protocol::OpenAccountInput{IdOf(100), "C", {10'000, Usd()}});
    bank2_.Do(protocol::DirectInput{{}, IdOf(102), "C", {50, Usd()}, true});
    for (const auto& order :
         {Order(1, {"bank1", "A"}, {"bank2", "C"}, 500), Order(2, {"bank1", "A"}, {"bank1", "B"}, 70),
          Order(3, {"bank2", "C"}, {"bank1", "B"}, 120)}) {
      Prepare(order);
      Tell(CommandKind::kCommit, order);
      Record(order, PaymentState::kCompleted);
    }
    const auto refused = Order(4, {"bank1", "A"}, {"bank2", "C"}, 1'000'000);  // more than there is
    Prepare(refused);
    Tell(CommandKind::kAbort, refused);
    Record(refused, PaymentState::kAborted);
  }

  static protocol::PaymentOrder Order(std::uint32_t number, protocol::AccountRef from, protocol::AccountRef to,
                                      std::int64_t amount) {
    return {IdOf(number), "alice", std::move(from), std::move(to), {amount, Usd()}, ""};
  }
  static protocol::PaymentOrder OpenOrder() { return Order(5, {"bank1", "A"}, {"bank2", "C"}, 10); }

  void Tell(CommandKind kind, const protocol::PaymentOrder& order) {
    if (order.from.bank_id == "bank1" || order.to.bank_id == "bank1") TellBank(bank1_, kind, order);
    if (order.from.bank_id == "bank2" || order.to.bank_id == "bank2") TellBank(bank2_, kind, order);
  }
  void TellBank(Bank& bank, CommandKind kind, const protocol::PaymentOrder& order) {
    bank.Do(protocol::CommandInput{{}, {kind, order.id, 1, IdOf(9), 1, order.from, order.to, order.amount}});
  }
  void Prepare(const protocol::PaymentOrder& order) { Tell(CommandKind::kPrepare, order); }
  void Record(const protocol::PaymentOrder& order, PaymentState state) {
    PaymentRecord payment;
    payment.order = order;
    payment.state = state;
    gateway_disk_->Access([&](MemoryGatewayContents& contents) { contents.payments[order.id] = payment; });
  }
  void Register(const std::string& bank_id) {
    gateway_disk_->Access([&](MemoryGatewayContents& contents) { contents.banks[bank_id].bank_id = bank_id; });
  }
  void Damage(Bank& bank, const std::function<void(MemoryBankContents&)>& damage) { bank.disk->Access(damage); }
  static BankTransactionRecord& At(MemoryBankContents& contents, std::uint32_t number) {
    return contents.transactions.at(IdOf(number));
  }

  Report Run() { return RunWith(*gateway_); }
  Report RunWith(GatewayReader& gateway) {
    auto report = Verify(gateway, {{"bank1", bank1_.reader.get()}, {"bank2", bank2_.reader.get()}});
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(Report{});
  }
  // The names of all that is wrong, each once.
  static std::vector<std::string_view> Wrong(const Report& report) {
    std::vector<std::string_view> names;
    for (const auto& [name, count] : report.violations_by_invariant) names.push_back(name);
    return names;
  }

  std::shared_ptr<MemoryGatewayDisk> gateway_disk_ = std::make_shared<MemoryGatewayDisk>();
  std::unique_ptr<GatewayReader> gateway_ = OpenMemoryGatewayReader(gateway_disk_);
  Bank bank1_{"bank1"};
  Bank bank2_{"bank2"};
};

TEST_F(VerifyBooks, CleanBooks_AreProvenAndSummedUp) {
  const Report report = Run();
  EXPECT_TRUE(report.ok()) << report.violations[0].sentence;
  EXPECT_TRUE(report.clearing_checked);
  EXPECT_EQ(report.open, 0u);
  EXPECT_EQ(report.moving, 0u);
  EXPECT_THAT(report.banks_not_checked, IsEmpty());
  EXPECT_EQ(report.payments.at(PaymentState::kCompleted), 3u);
  EXPECT_EQ(report.payments.at(PaymentState::kAborted), 1u);
  ASSERT_EQ(report.banks.size(), 2u);
  const BankSummary& bank1 = report.banks[0];
  EXPECT_EQ(bank1.committed, 3u);
  EXPECT_EQ(bank1.aborted, 1u);
  EXPECT_EQ(bank1.own, 2u);
  EXPECT_EQ(bank1.accounts, 4u);
  EXPECT_EQ(bank1.entries, 2u * 2 + 2 + 4 + 2);
  ASSERT_EQ(bank1.totals.size(), 1u);
  EXPECT_EQ(bank1.totals[0].clearing, 500 - 120);
  EXPECT_EQ(bank1.totals[0].debits, bank1.totals[0].credits);
  EXPECT_EQ(report.banks[1].own, 2u);
}

TEST_F(VerifyBooks, OpenPayments_AreCountedAndNoViolation) {
  Prepare(OpenOrder());
  Record(OpenOrder(), PaymentState::kCommitting);
  TellBank(bank1_, CommandKind::kCommit, OpenOrder());
  const Report report = Run();
  EXPECT_TRUE(report.ok()) << report.violations[0].sentence;
  EXPECT_EQ(report.open, 1u);
  EXPECT_EQ(report.banks[1].prepared, 1u);
  EXPECT_TRUE(report.clearing_checked);
}

TEST_F(VerifyBooks, AbortedAndNotYetDelivered_IsOpenAndNoViolation) {
  Prepare(OpenOrder());
  Record(OpenOrder(), PaymentState::kAborted);
  const Report report = Run();
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.open, 1u);
}

TEST_F(VerifyBooks, PaymentThatRunsMeanwhile_IsLookedUpAgain) {
  MovingReader moving(*gateway_, [&] {
    Record(OpenOrder(), PaymentState::kInitiated);
    Prepare(OpenOrder());
    Tell(CommandKind::kCommit, OpenOrder());
    Record(OpenOrder(), PaymentState::kCompleted);
  });
  const Report report = RunWith(moving);
  EXPECT_TRUE(report.ok()) << report.violations[0].sentence;
  EXPECT_EQ(report.moving, 1u);
  EXPECT_TRUE(report.clearing_checked);
}

TEST_F(VerifyBooks, PaymentDecidedMeanwhile_IsLookedUpAgain) {
  Record(OpenOrder(), PaymentState::kInitiated);
  Prepare(OpenOrder());
  MovingReader moving(*gateway_, [&] {
    Tell(CommandKind::kCommit, OpenOrder());
    Record(OpenOrder(), PaymentState::kCompleted);
  });
  const Report report = RunWith(moving);
  EXPECT_TRUE(report.ok()) << report.violations[0].sentence;
  EXPECT_EQ(report.moving, 1u);
}

TEST_F(VerifyBooks, PaymentCompletedAfterABankWasRead_IsNotHeldAgainstTheBank) {
  Record(OpenOrder(), PaymentState::kInitiated);
  MovingReader moving(*gateway_, [&] {
    Prepare(OpenOrder());
    TellBank(bank1_, CommandKind::kCommit, OpenOrder());
    Record(OpenOrder(), PaymentState::kCompleted);  // bank2 is read before its commit reaches it
  });
  const Report report = RunWith(moving);
  EXPECT_TRUE(report.ok()) << report.violations[0].sentence;
  EXPECT_EQ(report.moving, 1u);
}

TEST_F(VerifyBooks, PaymentThatChangesItsDecisionMeanwhile_IsNamed) {
  Prepare(OpenOrder());
  Record(OpenOrder(), PaymentState::kCommitting);
  MovingReader moving(*gateway_, [&] {
    Tell(CommandKind::kAbort, OpenOrder());
    Record(OpenOrder(), PaymentState::kAborted);
  });
  EXPECT_THAT(Wrong(RunWith(moving)), ElementsAre(invariant::kStability));
}

TEST_F(VerifyBooks, CommittedWithoutDecision_IsNamed) {
  Prepare(OpenOrder());
  Record(OpenOrder(), PaymentState::kInitiated);
  Tell(CommandKind::kCommit, OpenOrder());
  const Report report = Run();
  EXPECT_THAT(Wrong(report), ElementsAre(invariant::kValidity));
  EXPECT_EQ(report.violation_count, 2u);
  EXPECT_EQ(report.violations[0].transaction_id, IdOf(5));
}

TEST_F(VerifyBooks, AbortedPaymentPostedEverywhere_IsNamed) {
  Record(Order(1, {"bank1", "A"}, {"bank2", "C"}, 500), PaymentState::kAborted);
  EXPECT_THAT(Wrong(Run()), ElementsAre(invariant::kToldTheTruth));
}

TEST_F(VerifyBooks, PaymentABankHasNot_IsNamedThereAlone) {
  Record(OpenOrder(), PaymentState::kCompleted);
  TellBank(bank1_, CommandKind::kPrepare, OpenOrder());
  TellBank(bank1_, CommandKind::kCommit, OpenOrder());
  const Report report = Run();
  ASSERT_EQ(report.violations.size(), 2u);  // and clearing, which is off by it
  EXPECT_EQ(report.violations[0].invariant, invariant::kToldTheTruth);
  EXPECT_EQ(report.violations[0].bank_id, "bank2");
  EXPECT_EQ(report.violations[0].transaction_id, IdOf(5));
  EXPECT_EQ(report.violations[1].invariant, invariant::kConservation);
}

TEST_F(VerifyBooks, PaymentTheGatewayDoesNotKnow_IsNamed) {
  Prepare(OpenOrder());
  Tell(CommandKind::kCommit, OpenOrder());
  const Report report = Run();
  EXPECT_THAT(Wrong(report), ElementsAre(invariant::kKnown));
  EXPECT_EQ(report.violation_count, 2u);
}

TEST_F(VerifyBooks, CommittedAtOneBankAbortedAtTheOther_IsNamed) {
  Prepare(OpenOrder());
  Record(OpenOrder(), PaymentState::kCommitting);
  TellBank(bank1_, CommandKind::kCommit, OpenOrder());
  TellBank(bank2_, CommandKind::kAbort, OpenOrder());
  EXPECT_THAT(Wrong(Run()), ElementsAre(invariant::kAgreement, invariant::kConservation, invariant::kValidity));
}

TEST_F(VerifyBooks, WrongsThatCancelInTheBalances_AreStillFound) {
  // Both banks moved the same wrong amount: every sum is right.
  Prepare(OpenOrder());
  Tell(CommandKind::kCommit, OpenOrder());
  Record(Order(5, {"bank1", "A"}, {"bank2", "C"}, 11), PaymentState::kCompleted);
  const Report report = Run();
  EXPECT_THAT(Wrong(report), ElementsAre(invariant::kTerms));
  EXPECT_EQ(report.violation_count, 2u);
}

TEST_F(VerifyBooks, WrongAccount_IsNamed) {
  Record(Order(1, {"bank1", "B"}, {"bank2", "C"}, 500), PaymentState::kCompleted);
  const Report report = Run();
  EXPECT_THAT(Wrong(report), ElementsAre(invariant::kTerms));
  EXPECT_EQ(report.violations[0].bank_id, "bank1");
}

TEST_F(VerifyBooks, MissingEntry_IsNamedInEveryWayItShows) {
  Damage(bank1_, [](MemoryBankContents& contents) { contents.entries.erase({IdOf(1), 1}); });
  EXPECT_THAT(Wrong(Run()), ElementsAre(invariant::kBalances, invariant::kConservation, invariant::kExactlyOnce));
}

TEST_F(VerifyBooks, EntriesWithoutTransaction_AreNamed) {
  Damage(bank1_, [](MemoryBankContents& contents) {
    contents.entries[{IdOf(50), 0}] = {IdOf(50), 0, "A", -5, Usd(), {}};
    contents.entries[{IdOf(50), 1}] = {IdOf(50), 1, "B", 5, Usd(), {}};
    contents.accounts.at("A").posted -= 5;
    contents.accounts.at("B").posted += 5;
  });
  EXPECT_THAT(Wrong(Run()), ElementsAre(invariant::kExactlyOnce));
}

TEST_F(VerifyBooks, BalanceThatIsNotItsEntries_IsNamed) {
  Damage(bank2_, [](MemoryBankContents& contents) { contents.accounts.at("C").posted += 1; });
  const Report report = Run();
  ASSERT_EQ(report.violations.size(), 1u);
  EXPECT_EQ(report.violations[0].invariant, invariant::kBalances);
  EXPECT_EQ(report.violations[0].account_id, "C");
  EXPECT_EQ(report.violations[0].bank_id, "bank2");
}

TEST_F(VerifyBooks, OrphanedHold_IsNamed) {
  Damage(bank1_, [](MemoryBankContents& contents) { contents.accounts.at("A").held = 5; });
  EXPECT_THAT(Wrong(Run()), ElementsAre(invariant::kHolds));
}

TEST_F(VerifyBooks, PreparedWithoutItsHold_IsNamed) {
  Prepare(OpenOrder());
  Record(OpenOrder(), PaymentState::kInitiated);
  EXPECT_TRUE(Run().ok());
  Damage(bank1_, [](MemoryBankContents& contents) { contents.accounts.at("A").held = 0; });
  EXPECT_THAT(Wrong(Run()), ElementsAre(invariant::kHolds));
}

TEST_F(VerifyBooks, Overdraft_IsNamed) {
  const auto order = Order(6, {"bank1", "A"}, {"bank1", "B"}, 9'000);
  Prepare(order);
  Tell(CommandKind::kCommit, order);
  Record(order, PaymentState::kCompleted);
  // The same order once more, past every check.
  Damage(bank1_, [&](MemoryBankContents& contents) {
    BankTransactionRecord again = At(contents, 6);
    again.id = IdOf(7);
    contents.transactions[again.id] = again;
    for (std::uint8_t line = 0; line < 4; ++line) {
      auto entry = contents.entries.at({IdOf(6), line});
      entry.transaction_id = again.id;
      contents.entries[{again.id, line}] = entry;
      contents.accounts.at(entry.account_id).posted += entry.amount_minor_units;
    }
  });
  auto repeated = order;
  repeated.id = IdOf(7);
  Record(repeated, PaymentState::kCompleted);
  EXPECT_THAT(Wrong(Run()), ElementsAre(invariant::kNoOverdraft));
}

TEST_F(VerifyBooks, DebitsThatAreNotCredits_AreNamed) {
  Damage(bank1_, [](MemoryBankContents& contents) {
    contents.entries.at({IdOf(1), 1}).amount_minor_units += 1;
    contents.accounts.at("clearing:USD").posted += 1;
  });
  const Report report = Run();
  EXPECT_THAT(Wrong(report), ElementsAre(invariant::kConservation, invariant::kExactlyOnce));
  EXPECT_EQ(report.violations_by_invariant.at(invariant::kConservation), 3u) << "transaction, bank, clearing";
}

TEST_F(VerifyBooks, EntryInAnotherCurrencyThanItsAccount_IsNamed) {
  Damage(bank1_, [](MemoryBankContents& contents) { contents.accounts.at("A").currency = *Currency::Parse("EUR"); });
  EXPECT_THAT(Wrong(Run()), ElementsAre(invariant::kTerms));
}

TEST_F(VerifyBooks, EntriesOfAnAccountThatIsNotThere_AreNamed) {
  Damage(bank1_, [](MemoryBankContents& contents) { contents.accounts.erase("B"); });
  const Report report = Run();
  EXPECT_THAT(Wrong(report), ElementsAre(invariant::kBalances));
  EXPECT_EQ(report.violations[0].account_id, "B");
}

TEST_F(VerifyBooks, MissingBank_IsReportedAsNotChecked) {
  Register("bank9");
  const auto report = Verify(*gateway_, {{"bank1", bank1_.reader.get()}}).value();
  EXPECT_TRUE(report.ok());
  EXPECT_THAT(report.banks_not_checked, ElementsAre("bank2", "bank9"));
  EXPECT_FALSE(report.clearing_checked);
}

TEST_F(VerifyBooks, ManyViolations_AreAllCountedAndTheFirstListed) {
  for (std::uint32_t i = 0; i < 1500; ++i) {
    Record(Order(1000 + i, {"bank1", "A"}, {"bank1", "B"}, 1), PaymentState::kCompleted);
  }
  const Report report = Run();
  EXPECT_EQ(report.violation_count, 1500u);
  EXPECT_EQ(report.violations.size(), kMaxListedViolations);
}

}  // namespace
}  // namespace strife::verify
