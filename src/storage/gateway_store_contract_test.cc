// Every promise of env/gateway_store.h about what is written, on every implementation.
#include <algorithm>

#include "base/limits.h"
#include "storage/gateway_store_test_support.h"

namespace strife {
namespace {

using protocol::PaymentRecord;
using protocol::PaymentState;
using ::testing::ElementsAre;

template <typename Maker>
class GatewayStoreContract : public GatewayStoreTest<Maker> {};
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
  protocol::BankRecord bank{"bank1", "First Bank", "localhost:1", {"EUR", "USD"}, {"batch"}, At(5), 77};
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
  bank.ahead = 9;
  SessionRecord revoked = this->SessionOf(1);
  revoked.revoked_at = At(50);
  revoked.generation = 2;
  RefreshTokenRecord used = this->TokenOf(9, 1);
  used.used_at = At(60);
  used.generation = 3;
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

TYPED_TEST(GatewayStoreContract, ForgetSessionsBefore_DeletesWhatHasExpiredThenAndNothingElse) {
  GatewayRecords records;
  GatewayKeys keys;
  for (std::uint32_t i = 1; i <= 4; ++i) {
    SessionRecord& session = records.sessions.emplace_back(this->SessionOf(i));
    session.expires_at = At(10 * static_cast<int>(i));
    if (i % 2 == 0) session.revoked_at = At(1);
    RefreshTokenRecord& token = records.refresh_tokens.emplace_back(this->TokenOf(i, i));
    token.expires_at = session.expires_at;
    keys.sessions.push_back(session.session_id);
    keys.refresh_tokens.push_back(token.token_hash);
  }
  ASSERT_TRUE(this->Commit(records));
  records = {};
  records.forget_sessions_before = At(30);
  EXPECT_FALSE(records.empty());
  ASSERT_TRUE(this->Commit(records));
  const GatewayRows rows = this->store_->Load(keys).value();
  EXPECT_EQ(rows.sessions.size(), 2u);
  EXPECT_TRUE(rows.sessions.contains(IdOf(3)) && rows.sessions.contains(IdOf(4)));
  EXPECT_EQ(rows.refresh_tokens.size(), 2u);
  EXPECT_TRUE(rows.refresh_tokens.contains(this->TokenOf(3, 3).token_hash));
}

TYPED_TEST(GatewayStoreContract, ForgetSessionsBefore_TakesFewAtATime_TheOldestFirst) {
  constexpr auto kMost = static_cast<std::uint32_t>(limits::kMaxForgottenRows);
  GatewayRecords records;
  for (std::uint32_t i = 1; i <= kMost + 1; ++i) {
    records.sessions.push_back(this->SessionOf(i));
    records.sessions.back().expires_at = At(static_cast<int>(2 * kMost - i));
  }
  ASSERT_TRUE(this->Commit(records));
  records = {};
  records.forget_sessions_before = At(static_cast<int>(2 * kMost));
  ASSERT_TRUE(this->Commit(records));
  const GatewayRows rows = this->store_->Load({{}, {}, {IdOf(1), IdOf(2), IdOf(kMost + 1)}}).value();
  EXPECT_EQ(rows.sessions.size(), 1u);
  EXPECT_TRUE(rows.sessions.contains(IdOf(1)));
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

}  // namespace
}  // namespace strife
