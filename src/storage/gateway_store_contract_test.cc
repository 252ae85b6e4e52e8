// Every promise of env/gateway_store.h, on every implementation.
#include <algorithm>
#include <atomic>
#include <thread>

#include "audit/examine.h"
#include "storage/store_test_support.h"

namespace strife {
namespace {

using protocol::AuditEvent;
using ::testing::ElementsAre;

using protocol::PaymentRecord;
using protocol::PaymentState;

template <typename Maker>
class GatewayStoreContract : public ::testing::Test {
 protected:
  GatewayStoreContract() { Reopen(); }

  // As after a crash or restart: only what was committed is there.
  GatewayIncarnation Reopen() {
    store_.reset();
    store_ = maker_.Gateway();
    const GatewayIncarnation incarnation = store_->OpenIncarnation(IdOf(42)).value();
    sequence_ = incarnation.sequence;
    return incarnation;
  }
  Status Commit(GatewayRecords records) {
    records.sequence = ++sequence_;
    return store_->Commit(records);
  }
  void CommitPayments(std::vector<PaymentRecord> payments) {
    const Status done = Commit({.payments = std::move(payments), .banks = {}, .sessions = {}, .refresh_tokens = {}});
    ASSERT_TRUE(done) << done.error().message;
  }
  PaymentRecord InState(std::uint32_t number, PaymentState state, std::string payer = "alice") {
    PaymentRecord payment = PaymentOf(number, std::move(payer));
    payment.state = state;
    return payment;
  }
  std::vector<Uuid> History(const HistoryQuery& query) {
    std::vector<Uuid> ids;
    const auto page = maker_.GatewayReading()->History(query).value();
    for (const PaymentRecord& payment : page) ids.push_back(payment.order.id);
    return ids;
  }
  SessionRecord SessionOf(std::uint32_t number) {
    SessionRecord session;
    session.session_id = IdOf(number);
    session.username = "alice";
    session.certificate_thumbprint.fill(static_cast<std::uint8_t>(number));
    session.created_at = At(1);
    session.expires_at = At(900);
    session.credential.fill(7);
    return session;
  }
  RefreshTokenRecord TokenOf(std::uint32_t number, std::uint32_t session) {
    RefreshTokenRecord token;
    token.token_hash.fill(static_cast<std::uint8_t>(number));
    token.session_id = IdOf(session);
    token.expires_at = At(800);
    return token;
  }

  Maker maker_;
  std::unique_ptr<GatewayStore> store_;
  std::uint64_t sequence_ = 0;
};

TYPED_TEST_SUITE(GatewayStoreContract, Makers);

TYPED_TEST(GatewayStoreContract, Trace_StaysUntilAnotherComes_AndComesWithItsPayment) {
  const GatewayKeys all{.payments = {IdOf(1), IdOf(2), IdOf(3)}, .refresh_tokens = {}, .sessions = {}};
  const std::string bytes("\0\1way", 5);
  GatewayRecords records{.payments = {PaymentOf(1), PaymentOf(2)}, .banks = {}, .sessions = {}, .refresh_tokens = {}};
  records.traces = {{IdOf(2), bytes}};
  ASSERT_TRUE(this->Commit(records));
  this->CommitPayments({this->InState(2, PaymentState::kCommitting)});
  this->Reopen();
  auto rows = this->store_->Load(all).value();
  EXPECT_EQ(rows.traces.size(), 1u);
  EXPECT_EQ(rows.traces.at(IdOf(2)), bytes);
  // With the payment, for itself, and of a payment that is not there.
  records = {
      .payments = {this->InState(2, PaymentState::kCompleted)}, .banks = {}, .sessions = {}, .refresh_tokens = {}};
  records.traces = {{IdOf(2), "two"}, {IdOf(1), "one"}, {IdOf(3), "three"}};
  ASSERT_TRUE(this->Commit(records));
  records = {.payments = {}, .banks = {}, .sessions = {}, .refresh_tokens = {}};
  records.traces = {{IdOf(1), "one more"}};
  EXPECT_FALSE(records.empty());
  ASSERT_TRUE(this->Commit(records));
  rows = this->store_->Load(all).value();
  EXPECT_EQ(rows.payments.size(), 2u);
  EXPECT_EQ(rows.traces.size(), 2u);
  EXPECT_EQ(rows.traces.at(IdOf(1)), "one more");
  EXPECT_EQ(rows.traces.at(IdOf(2)), "two");
  EXPECT_EQ(rows.payments.at(IdOf(2)).state, PaymentState::kCompleted);
}

TYPED_TEST(GatewayStoreContract, OpenIncarnation_EachTime_KeepsTheStoreIdAndRaisesTheEpoch) {
  this->store_.reset();
  auto second = this->maker_.Gateway();
  const GatewayIncarnation incarnation = second->OpenIncarnation(IdOf(43)).value();
  EXPECT_EQ(incarnation.store_id, IdOf(42));
  EXPECT_EQ(incarnation.epoch, 2u);
  EXPECT_EQ(incarnation.sequence, 0u);
}

TYPED_TEST(GatewayStoreContract, Commit_Sequence_IsThereAfterReopening) {
  this->CommitPayments({PaymentOf(1)});
  this->CommitPayments({});
  EXPECT_EQ(this->Reopen().sequence, 2u);
}

TYPED_TEST(GatewayStoreContract, Commit_EverythingWritten_IsThereAfterReopening) {
  PaymentRecord payment = this->InState(1, PaymentState::kAborted);
  payment.reason_code = "AM04";
  payment.message = "not enough";
  PaymentRecord tombstone;
  tombstone.order.id = IdOf(2);
  tombstone.state = PaymentState::kAborted;
  protocol::BankRecord bank{"bank1", "First Bank", "localhost:1", {"EUR", "USD"}, {"batch"}, At(5)};
  protocol::BankRecord bare{"bank0", "", "h:1", {}, {}, At(6)};
  ASSERT_TRUE(this->Commit({{payment, tombstone}, {bank, bare}, {this->SessionOf(1)}, {this->TokenOf(9, 1)}}));
  this->Reopen();
  const GatewayRows rows =
      this->store_->Load({{IdOf(1), IdOf(2), IdOf(3)}, {this->TokenOf(9, 1).token_hash}, {}}).value();
  EXPECT_EQ(rows.payments.size(), 2u);
  EXPECT_EQ(rows.payments.at(IdOf(1)), payment);
  EXPECT_EQ(rows.payments.at(IdOf(2)), tombstone);
  EXPECT_EQ(rows.refresh_tokens.at(this->TokenOf(9, 1).token_hash), this->TokenOf(9, 1));
  EXPECT_EQ(rows.sessions.at(IdOf(1)), this->SessionOf(1));
  auto reader = this->maker_.GatewayReading();
  EXPECT_EQ(reader->FindPayment(IdOf(1)).value(), payment);
  EXPECT_EQ(reader->FindPayment(IdOf(3)).value(), std::nullopt);
  EXPECT_EQ(reader->Banks().value(), (std::vector{bare, bank}));
}

TYPED_TEST(GatewayStoreContract, Load_MissingKeys_AreAbsent) {
  Sha256 unknown{};
  const GatewayRows rows = this->store_->Load({{IdOf(1)}, {unknown}, {IdOf(2)}}).value();
  EXPECT_TRUE(rows.payments.empty());
  EXPECT_TRUE(rows.refresh_tokens.empty());
  EXPECT_TRUE(rows.sessions.empty());
}

TYPED_TEST(GatewayStoreContract, Load_TokenWithoutSession_BringsTheTokenAlone) {
  ASSERT_TRUE(this->Commit({{}, {}, {this->SessionOf(1)}, {this->TokenOf(9, 5)}}));
  const GatewayRows rows = this->store_->Load({{}, {this->TokenOf(9, 5).token_hash}, {IdOf(1)}}).value();
  EXPECT_EQ(rows.refresh_tokens.size(), 1u);
  EXPECT_EQ(rows.sessions.size(), 1u);
}

TYPED_TEST(GatewayStoreContract, Commit_PaymentAgain_ChangesOnlyItsProgress) {
  const PaymentRecord first = PaymentOf(1);
  this->CommitPayments({first});
  PaymentRecord second = first;
  second.state = PaymentState::kAborted;
  second.reason_code = "AB05";
  second.message = "late";
  second.epoch = 7;
  second.updated_at = At(99);
  PaymentRecord expected = second;
  second.order = PaymentOf(1, "mallory").order;
  second.order.amount.minor_units = 1;
  second.created_at = At(98);
  this->CommitPayments({second});
  EXPECT_EQ(this->maker_.GatewayReading()->FindPayment(IdOf(1)).value(), expected);
  second.state = PaymentState::kInitiated;  // takes the insert's way
  expected.state = PaymentState::kInitiated;
  this->CommitPayments({second});
  EXPECT_EQ(this->maker_.GatewayReading()->FindPayment(IdOf(1)).value(), expected);
}

TYPED_TEST(GatewayStoreContract, Commit_SamePaymentTwiceInABatch_KeepsTheLast) {
  this->CommitPayments({PaymentOf(1), this->InState(1, PaymentState::kCompleted)});
  EXPECT_EQ(this->maker_.GatewayReading()->FindPayment(IdOf(1)).value()->state, PaymentState::kCompleted);
}

TYPED_TEST(GatewayStoreContract, Commit_BankSessionTokenAgain_Replaces) {
  protocol::BankRecord bank{"bank1", "First", "localhost:1", {"USD"}, {}, At(5)};
  ASSERT_TRUE(this->Commit({{}, {bank}, {this->SessionOf(1)}, {this->TokenOf(9, 1)}}));
  bank.endpoint = "localhost:2";
  bank.currencies = {"EUR"};
  SessionRecord revoked = this->SessionOf(1);
  revoked.revoked_at = At(50);
  RefreshTokenRecord used = this->TokenOf(9, 1);
  used.used_at = At(60);
  ASSERT_TRUE(this->Commit({{}, {bank}, {revoked}, {used}}));
  const GatewayRows rows = this->store_->Load({{}, {used.token_hash}, {}}).value();
  EXPECT_EQ(rows.sessions.at(IdOf(1)), revoked);
  EXPECT_EQ(rows.refresh_tokens.at(used.token_hash), used);
  EXPECT_EQ(this->maker_.GatewayReading()->Banks().value(), std::vector{bank});
}

TYPED_TEST(GatewayStoreContract, Commit_OneBadRecord_WritesNothing) {
  PaymentRecord negative = PaymentOf(2);
  negative.order.amount.minor_units = -1;
  const Status refused = this->Commit({{PaymentOf(1), negative}, {}, {}, {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInternal);
  EXPECT_EQ(this->Reopen().sequence, 0u);
  EXPECT_TRUE(this->store_->Load({{IdOf(1), IdOf(2)}, {}, {}}).value().payments.empty());
}

TYPED_TEST(GatewayStoreContract, Commit_AfterANewerIncarnation_IsFencedAndWritesNothing) {
  this->CommitPayments({PaymentOf(1)});
  auto newer = this->maker_.Gateway();
  ASSERT_TRUE(newer->OpenIncarnation(IdOf(43)));
  const Status fenced = this->Commit({{PaymentOf(2)}, {}, {}, {}});
  ASSERT_FALSE(fenced);
  EXPECT_EQ(fenced.error().code, ErrorCode::kFenced);
  EXPECT_TRUE(newer->Load({{IdOf(2)}, {}, {}}).value().payments.empty());
  GatewayRecords records;
  records.payments = {PaymentOf(3)};
  records.sequence = 2;
  EXPECT_TRUE(newer->Commit(records));
  EXPECT_EQ(this->Commit({}).error().code, ErrorCode::kFenced);
}

TYPED_TEST(GatewayStoreContract, Load_AfterANewerIncarnation_IsFencedThoughNothingIsWritten) {
  this->CommitPayments({PaymentOf(1)});
  ASSERT_TRUE(this->store_->Load({}));
  auto newer = this->maker_.Gateway();
  ASSERT_TRUE(newer->OpenIncarnation(IdOf(43)));
  const auto fenced = this->store_->Load({});
  ASSERT_FALSE(fenced);
  EXPECT_EQ(fenced.error().code, ErrorCode::kFenced);
  EXPECT_TRUE(newer->Load({{IdOf(1)}, {}, {}}).value().payments.contains(IdOf(1)));
}

TYPED_TEST(GatewayStoreContract, LoadOpenPayments_FindsExactlyTheNotFinal) {
  this->CommitPayments({this->InState(1, PaymentState::kInitiated), this->InState(2, PaymentState::kCommitting),
                        this->InState(3, PaymentState::kCompleted), this->InState(4, PaymentState::kAborted),
                        this->InState(5, PaymentState::kPartialCommit), this->InState(6, PaymentState::kInitiated)});
  this->CommitPayments({this->InState(6, PaymentState::kAborted)});
  this->Reopen();
  auto open = this->store_->LoadOpenPayments().value();
  std::ranges::sort(open, {}, [](const PaymentRecord& payment) { return payment.order.id; });
  ASSERT_EQ(open.size(), 3u);
  EXPECT_EQ(open[0], this->InState(1, PaymentState::kInitiated));
  EXPECT_EQ(open[1].order.id, IdOf(2));
  EXPECT_EQ(open[2].order.id, IdOf(5));
}

TYPED_TEST(GatewayStoreContract, History_Pages_AreNewestFirstWithoutGapsOrRepeats) {
  std::vector<PaymentRecord> payments;
  for (std::uint32_t i = 1; i <= 10; ++i) {
    payments.push_back(PaymentOf(i));
    payments.back().created_at = At(1000 + i / 3);  // several at the same moment
    payments.push_back(PaymentOf(100 + i, "bob"));
  }
  this->CommitPayments(payments);
  std::vector<Uuid> seen;
  HistoryQuery query{.payer = "alice", .state = {}, .since = {}, .until = {}, .after = {}, .limit = 3};
  for (;;) {
    const auto page = this->maker_.GatewayReading()->History(query).value();
    for (const PaymentRecord& payment : page) seen.push_back(payment.order.id);
    if (page.size() < 3) break;
    query.after = HistoryQuery::Position{page.back().created_at, page.back().order.id};
  }
  std::vector<Uuid> expected;
  for (std::uint32_t i = 10; i >= 1; --i) expected.push_back(IdOf(i));
  EXPECT_EQ(seen, expected);
}

TYPED_TEST(GatewayStoreContract, History_SinceIsInclusiveUntilIsExclusive) {
  this->CommitPayments({PaymentOf(1), PaymentOf(2), PaymentOf(3), PaymentOf(4)});
  HistoryQuery query{.payer = "alice", .state = {}, .since = At(1002), .until = At(1004), .after = {}};
  EXPECT_EQ(this->History(query), (std::vector{IdOf(3), IdOf(2)}));
  query.after = HistoryQuery::Position{At(1003), IdOf(3)};
  EXPECT_EQ(this->History(query), std::vector{IdOf(2)});
  query.after = HistoryQuery::Position{At(1004), IdOf(4)};  // outside: `until` still holds
  EXPECT_EQ(this->History(query), (std::vector{IdOf(3), IdOf(2)}));
  query.limit = 0;
  EXPECT_TRUE(this->History(query).empty());
}

TYPED_TEST(GatewayStoreContract, History_EachStateFilter_FindsThatStateOnly) {
  std::vector<PaymentRecord> payments;
  for (std::uint32_t i = 0; i < 10; ++i) payments.push_back(this->InState(i + 1, static_cast<PaymentState>(i % 5 + 1)));
  this->CommitPayments(payments);
  for (std::uint32_t state = 1; state <= 5; ++state) {
    const HistoryQuery query{
        .payer = "alice", .state = static_cast<PaymentState>(state), .since = {}, .until = {}, .after = {}};
    EXPECT_EQ(this->History(query), (std::vector{IdOf(state + 5), IdOf(state)})) << state;
  }
}

TYPED_TEST(GatewayStoreContract, History_AfterAStateChange_FollowsIt) {
  this->CommitPayments({PaymentOf(1)});
  this->CommitPayments({this->InState(1, PaymentState::kAborted)});
  HistoryQuery query{.payer = "alice", .state = PaymentState::kInitiated, .since = {}, .until = {}, .after = {}};
  EXPECT_TRUE(this->History(query).empty());
  query.state = PaymentState::kAborted;
  EXPECT_EQ(this->History(query), std::vector{IdOf(1)});
}

TYPED_TEST(GatewayStoreContract, SessionsRevokedSince_FindsThoseRevokedThenOrLater) {
  std::vector<SessionRecord> sessions;
  for (std::uint32_t i = 1; i <= 4; ++i) sessions.push_back(this->SessionOf(i));
  sessions[0].revoked_at = At(10);
  sessions[1].revoked_at = At(20);
  sessions[2].revoked_at = At(30);
  ASSERT_TRUE(this->Commit({{}, {}, sessions, {}}));
  EXPECT_EQ(this->maker_.GatewayReading()->SessionsRevokedSince(At(20)).value(), (std::vector{IdOf(2), IdOf(3)}));
}

TYPED_TEST(GatewayStoreContract, LoginCounters_AreReplacedAndThereAfterReopening) {
  LoginCounterRecord counter;
  counter.key = {LoginScope::kDevice, "alice/laptop"};
  counter.failures = 3;
  counter.counted_at = At(10);
  counter.forget_at = At(40);
  LoginCounterRecord other = counter;
  other.key.scope = LoginScope::kUser;
  ASSERT_TRUE(this->Commit(
      {.payments = {}, .banks = {}, .sessions = {}, .refresh_tokens = {}, .login_counters = {counter, other}}));
  counter.failures = 8;
  counter.blocked_until = At(30);
  counter.succeeded_at = At(5);
  counter.forget_at = At(50);
  ASSERT_TRUE(
      this->Commit({.payments = {}, .banks = {}, .sessions = {}, .refresh_tokens = {}, .login_counters = {counter}}));
  this->Reopen();
  const LoginCounterKey unknown{LoginScope::kAddress, "alice/laptop"};
  const GatewayRows rows = this->store_
                               ->Load({.payments = {},
                                       .refresh_tokens = {},
                                       .sessions = {},
                                       .login_counters = {counter.key, other.key, unknown}})
                               .value();
  EXPECT_EQ(rows.login_counters,
            (std::map<LoginCounterKey, LoginCounterRecord>{{counter.key, counter}, {other.key, other}}));
}

TYPED_TEST(GatewayStoreContract, ForgetBefore_DeletesTheCountersOfNoMeaningAndThoseOnly) {
  GatewayRecords records;
  GatewayKeys keys;
  for (int i = 0; i < 4; ++i) {
    LoginCounterRecord& counter = records.login_counters.emplace_back();
    counter.key = {LoginScope::kUser, "user" + std::to_string(i)};
    counter.forget_at = At(10 * i);
    keys.login_counters.push_back(counter.key);
  }
  records.forget_before = At(20);
  ASSERT_TRUE(this->Commit(records));
  const GatewayRows rows = this->store_->Load(keys).value();
  ASSERT_EQ(rows.login_counters.size(), 2u);
  EXPECT_EQ(rows.login_counters.begin()->first.subject, "user2");
}

TYPED_TEST(GatewayStoreContract, ScanPayments_IsInIdOrderAndASnapshot) {
  this->CommitPayments({PaymentOf(3), PaymentOf(1)});
  auto reader = this->maker_.GatewayReading();
  auto cursor = reader->ScanPayments();
  this->CommitPayments({PaymentOf(2), this->InState(3, PaymentState::kAborted)});
  EXPECT_EQ(Drain(std::move(cursor)), (std::vector{PaymentOf(1), PaymentOf(3)}));
  EXPECT_EQ(Drain(reader->ScanPayments()).size(), 3u);
  EXPECT_EQ(reader->CountPayments().value(), 3u);
}

TYPED_TEST(GatewayStoreContract, ScanPayments_CursorOutlivesItsReader) {
  this->CommitPayments({PaymentOf(1), PaymentOf(2)});
  auto cursor = this->maker_.GatewayReading()->ScanPayments();
  EXPECT_EQ(Drain(std::move(cursor)).size(), 2u);
}

TYPED_TEST(GatewayStoreContract, Reader_UsedByManyThreads_SeesWhatWasCommittedBefore) {
  auto reader = this->maker_.GatewayReading();
  std::vector<std::thread> threads;
  std::atomic<std::uint32_t> committed = 0;
  std::atomic<int> missing = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::uint32_t known = 0; known < 100;) {
        known = committed;
        if (known == 0) continue;
        const auto found = reader->FindPayment(IdOf(known));
        if (!found || !*found) ++missing;
      }
    });
  }
  for (std::uint32_t i = 1; i <= 100; ++i) {
    this->CommitPayments({PaymentOf(i)});
    committed = i;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(missing, 0);
}

// ---- What operators look for ----

TYPED_TEST(GatewayStoreContract, Payments_OfEverybody_AreNewestFirstInPagesWithoutGaps) {
  for (std::uint32_t i = 1; i <= 10; ++i) this->CommitPayments({PaymentOf(i, i % 2 == 0 ? "alice" : "bob")});
  std::vector<Uuid> seen, expected;
  PaymentsQuery query;
  query.limit = 3;
  for (std::optional<HistoryQuery::Position> next;; query.after = next) {
    const PaymentsPage page = this->maker_.GatewayReading()->Payments(query).value();
    for (const PaymentRecord& payment : page.payments) seen.push_back(payment.order.id);
    EXPECT_LE(page.payments.size(), 3u);
    next = page.next;
    if (!next) break;
  }
  for (std::uint32_t i = 10; i >= 1; --i) expected.push_back(IdOf(i));
  EXPECT_EQ(seen, expected);
}

TYPED_TEST(GatewayStoreContract, Payments_EachFilter_LeavesWhatItSays) {
  PaymentRecord other = this->InState(3, PaymentState::kAborted, "bob");
  other.order.from.bank_id = "bank3";
  other.order.amount.minor_units = 5;
  this->CommitPayments({PaymentOf(1), PaymentOf(2, "bob"), other, this->InState(4, PaymentState::kCompleted)});
  const auto found = [&](auto set) {
    PaymentsQuery query;
    set(query);
    std::vector<Uuid> ids;
    const PaymentsPage page = this->maker_.GatewayReading()->Payments(query).value();
    for (const PaymentRecord& payment : page.payments) ids.push_back(payment.order.id);
    return ids;
  };
  using Query = PaymentsQuery;
  EXPECT_THAT(found([](Query& query) { query.payer = "bob"; }), ElementsAre(IdOf(3), IdOf(2)));
  EXPECT_THAT(found([](Query& query) { query.bank_id = "bank3"; }), ElementsAre(IdOf(3)));
  EXPECT_THAT(found([](Query& query) { query.bank_id = "bank2"; }), ElementsAre(IdOf(4), IdOf(3), IdOf(2), IdOf(1)));
  EXPECT_THAT(found([](Query& query) { query.state = PaymentState::kInitiated; }), ElementsAre(IdOf(2), IdOf(1)));
  EXPECT_THAT(found([](Query& query) { query.state = PaymentState::kCompleted; }), ElementsAre(IdOf(4)));
  EXPECT_THAT(found([](Query& query) {
                query.state = PaymentState::kInitiated;
                query.after = HistoryQuery::Position{At(1002), IdOf(2)};
              }),
              ElementsAre(IdOf(1)));
  EXPECT_THAT(found([](Query& query) {
                query.since = At(1002);
                query.until = At(1004);
              }),
              ElementsAre(IdOf(3), IdOf(2)));
  EXPECT_THAT(found([](Query& query) { query.min_minor_units = 6; }), ElementsAre(IdOf(4), IdOf(2), IdOf(1)));
  EXPECT_THAT(found([](Query& query) { query.max_minor_units = 5; }), ElementsAre(IdOf(3)));
}

TYPED_TEST(GatewayStoreContract, Sessions_LiveOnes_AreListedByUserAndAltogether) {
  std::vector<SessionRecord> sessions;
  for (std::uint32_t i = 1; i <= 6; ++i) {
    sessions.push_back(this->SessionOf(i));
    sessions.back().expires_at = At(100 + i);
    sessions.back().username = i % 2 == 0 ? "alice" : "bob";
  }
  sessions[2].revoked_at = At(5);
  ASSERT_TRUE(this->Commit({{}, {}, sessions, {}}));
  const auto found = [&](int now, auto set) {
    SessionsQuery query;
    query.now = At(now);
    set(query);
    std::vector<Uuid> ids;
    const auto page = this->maker_.GatewayReading()->Sessions(query).value();
    for (const SessionRecord& session : page) ids.push_back(session.session_id);
    return ids;
  };
  using Query = SessionsQuery;
  EXPECT_THAT(found(101, [](Query&) {}), ElementsAre(IdOf(6), IdOf(5), IdOf(4), IdOf(2)));
  EXPECT_THAT(found(0, [](Query& query) { query.username = "bob"; }), ElementsAre(IdOf(5), IdOf(1)));
  EXPECT_THAT(found(0, [](Query& query) { query.limit = 2; }), ElementsAre(IdOf(6), IdOf(5)));
  EXPECT_THAT(found(0, [](Query& query) { query.after = SessionsQuery::Position{At(105), IdOf(5)}; }),
              ElementsAre(IdOf(4), IdOf(2), IdOf(1)));
}

TYPED_TEST(GatewayStoreContract, Suspensions_AreThereAfterReopening_UntilLifted_AndAudited) {
  const SuspensionRecord bank{SuspendedKind::kBank, "bank1", true, "olga", "late", At(5)};
  SuspensionRecord user{SuspendedKind::kUser, "alice", true, "olga", "", At(6)};
  ASSERT_TRUE(
      this->Commit({.payments = {}, .banks = {}, .sessions = {}, .refresh_tokens = {}, .suspensions = {bank, user}}));
  this->Reopen();
  EXPECT_THAT(this->maker_.GatewayReading()->Suspensions().value(), ElementsAre(bank, user));
  user.suspended = false;
  ASSERT_TRUE(this->Commit({.payments = {}, .banks = {}, .sessions = {}, .refresh_tokens = {}, .suspensions = {user}}));
  EXPECT_THAT(this->maker_.GatewayReading()->Suspensions().value(), ElementsAre(bank));
  EXPECT_THAT(Described(ExpectChain(this->maker_.GatewayReading()->Audit())),
              ElementsAre("58 bank/bank1", "66 user/alice", "67 user/alice"));
}

// ---- The audit log ----

TYPED_TEST(GatewayStoreContract, Audit_OfASoundStore_HasNoFindings_OneWhosePaymentsChangedHas) {
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

TYPED_TEST(GatewayStoreContract, Audit_DecisionsAndWhatElseIsToTell_FormOneChain) {
  this->CommitPayments({PaymentOf(1), this->InState(2, PaymentState::kCommitting)});
  ASSERT_TRUE(this->Commit({.payments = {this->InState(1, PaymentState::kAborted)},
                            .banks = {},
                            .sessions = {},
                            .refresh_tokens = {},
                            .audit = {AuditOf(AuditEvent::kLogin, "user/alice")}}));
  const auto entries = ExpectChain(this->maker_.GatewayReading()->Audit());
  EXPECT_THAT(Described(entries), ElementsAre("1 " + IdOf(2).ToString(), "2 " + IdOf(1).ToString(), "20 user/alice"));
}

TYPED_TEST(GatewayStoreContract, Audit_AfterReopening_GoesOnWhereItEnded) {
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

TYPED_TEST(GatewayStoreContract, Audit_CommitRefused_LeavesNoEntryAndNoGap) {
  PaymentRecord negative = this->InState(1, PaymentState::kAborted);
  negative.order.amount.minor_units = -1;
  ASSERT_FALSE(this->Commit({.payments = {negative}, .banks = {}, .sessions = {}, .refresh_tokens = {}}));
  this->CommitPayments({this->InState(2, PaymentState::kAborted)});
  EXPECT_EQ(ExpectChain(this->maker_.GatewayReading()->Audit()).size(), 1u);
}

TYPED_TEST(GatewayStoreContract, Audit_OfAFencedGateway_IsNotWritten) {
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
