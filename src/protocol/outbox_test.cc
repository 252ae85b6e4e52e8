#include "protocol/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "base/limits.h"
#include "protocol/reason.h"
#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

using testing::Id;
using testing::Order;
using testing::seconds;
using enum OutboxState;
using Result = DeliveryInput::Result;
using Kind = OutboxCall::Kind;

// One program's outbox on a disk that several may share.
struct Disk {
  std::map<std::uint64_t, OutboxItem> items;
  std::uint64_t last_sequence = 0;

  OutboxRows Load(const OutboxKeys& keys) const {
    OutboxRows rows;
    rows.complete_to = std::numeric_limits<std::uint64_t>::max();
    rows.last_sequence = last_sequence;
    std::size_t window = 0;
    for (const auto& [sequence, item] : items) {
      const bool mine = item.order.payer == keys.user;
      rows.open += IsEnded(item.state) ? 0 : 1;
      bool take = std::ranges::find(keys.ids, item.order.id) != keys.ids.end() || (mine && item.state == kFollowed);
      if (mine && IsWaiting(item.state)) {
        ++rows.waiting;
        if (++window <= kOutboxWindow) take = true;
        if (window == kOutboxWindow + 1) rows.complete_to = sequence - 1;
      }
      if (take) rows.items.emplace(sequence, item);
    }
    return rows;
  }
  void Commit(const OutboxRecords& records) {
    for (const OutboxItem& item : records.items) {
      items[item.sequence] = item;
      last_sequence = std::max(last_sequence, item.sequence);
    }
    for (std::uint64_t sequence : records.removed) items.erase(sequence);
    if (!records.remove_ended) return;
    std::erase_if(items, [&](const auto& it) {
      return it.second.order.payer == records.remove_ended->user && IsEnded(it.second.state) &&
             it.second.updated_at < records.remove_ended->before;
    });
  }
  const OutboxItem& Of(const Uuid& id) const {
    for (const auto& [sequence, item] : items) {
      if (item.order.id == id) return item;
    }
    ADD_FAILURE() << "no such item";
    static const OutboxItem none;
    return none;
  }
};

class Program {
 public:
  explicit Program(Disk& disk, std::string user = "ann") : disk_(disk) { Step(SessionInput{std::move(user)}); }

  OutboxEffects Step(OutboxInput input) { return Step(std::vector{std::move(input)}); }
  OutboxEffects Step(std::vector<OutboxInput> inputs) {
    OutboxKeys keys;
    for (const auto& input : inputs) outbox_.CollectKeys(input, keys);
    last = outbox_.Step(now, std::move(inputs), disk_.Load(keys));
    disk_.Commit(last.records);
    return last;
  }
  OutboxAnswer Enqueue(PaymentOrder order, std::optional<WallTime> expires_at = {}) {
    return Step(EnqueueInput{{1, 0}, std::move(order), expires_at}).answers.at(0);
  }
  OutboxEffects GoOnline() {
    Step(LockInput{true});
    return Step(ConnectionInput{true, ""});
  }
  OutboxEffects Answer(const Uuid& id, Result result, PaymentState state = PaymentState::kCompleted) {
    return Step(DeliveryInput{id, result, state, "", "", {}});
  }
  OutboxEffects AnswerCancelled(const Uuid& id) {
    return Step(
        DeliveryInput{id, Result::kPayment, PaymentState::kAborted, std::string(reason::kOrderCancelled), "", {}});
  }
  void Pass(Duration time) {
    now.monotonic += time;
    now.wall += time;
  }
  // Lets the time come at which the outbox wants to be called.
  OutboxEffects Wake() {
    if (outbox_.NextDeadline() && *outbox_.NextDeadline() > now.monotonic) {
      Pass(*outbox_.NextDeadline() - now.monotonic);
    }
    return Step(TickInput{});
  }
  std::optional<MonotonicTime> NextDeadline() const { return outbox_.NextDeadline(); }

  Now now{MonotonicTime(seconds(1000)), WallTime(seconds(5000))};
  OutboxEffects last;

 private:
  Disk& disk_;
  Outbox outbox_{OutboxOptions{}};
};

std::string Call(const OutboxEffects& effects) {
  if (!effects.call) return "";
  const int id = effects.call->order.id.bytes[15];
  const Kind kind = effects.call->kind;
  return (kind == Kind::kSend ? "send " : kind == Kind::kCancel ? "cancel " : "ask ") + std::to_string(id);
}

class OutboxTest : public ::testing::Test {
 protected:
  OutboxState StateOf(std::uint8_t n) const { return disk_.Of(Id(n)).state; }
  // Payment 1 is sent without an answer, and its time is up when the gateway is back.
  OutboxEffects ExpireOnceSent() {
    program_.Enqueue(Order(Id(1)), program_.now.wall + seconds(60));
    program_.GoOnline();
    program_.Answer(Id(1), Result::kUnknown);
    program_.Pass(seconds(61));
    program_.Step(TickInput{});
    return program_.Step(ConnectionInput{true, ""});
  }

  Disk disk_;
  Program program_{disk_};
};

// ---- Written before sent ----

TEST_F(OutboxTest, Enqueue_IsOnRecordBeforeItIsAnsweredAndNotYetSent) {
  EXPECT_EQ(program_.Enqueue(Order(Id(1))).outcome, OutboxOutcome::kAccepted);
  EXPECT_EQ(StateOf(1), kQueued);
  EXPECT_FALSE(disk_.Of(Id(1)).may_have_arrived);
  EXPECT_EQ(Call(program_.last), "");
  EXPECT_TRUE(program_.last.wants_lock);
}

TEST_F(OutboxTest, FirstSend_TheRecordThatItMayHaveArrivedComesWithIt) {
  program_.Enqueue(Order(Id(1)));
  EXPECT_TRUE(program_.Step(LockInput{true}).connect);
  const auto effects = program_.Step(ConnectionInput{true, ""});
  EXPECT_EQ(Call(effects), "send 1");
  ASSERT_EQ(effects.records.items.size(), 1u);
  EXPECT_TRUE(effects.records.items[0].may_have_arrived);
  EXPECT_EQ(effects.records.items[0].state, kSent);
}

TEST_F(OutboxTest, WithoutTheLock_NothingIsSentOrConnected) {
  program_.Enqueue(Order(Id(1)));
  EXPECT_FALSE(program_.last.connect);
  const auto effects = program_.Step(ConnectionInput{true, ""});
  EXPECT_EQ(Call(effects), "");
  EXPECT_TRUE(effects.wants_lock);
}

// ---- Order ----

TEST_F(OutboxTest, Order_OneAtATimeAndInTheOrderQueued) {
  for (const std::uint8_t n : std::initializer_list<std::uint8_t>{7, 3, 5}) program_.Enqueue(Order(Id(n)));
  EXPECT_EQ(Call(program_.GoOnline()), "send 7");
  EXPECT_EQ(Call(program_.Step(TickInput{})), "");
  const auto effects = program_.Answer(Id(7), Result::kPayment);
  EXPECT_EQ(Call(effects), "send 3");
  EXPECT_EQ(effects.records.items.size(), 2u) << "one commit for the end of one and the start of the next";
  EXPECT_EQ(Call(program_.Answer(Id(3), Result::kPayment)), "send 5");
  program_.Answer(Id(5), Result::kPayment);
  EXPECT_FALSE(program_.last.wants_lock);
  EXPECT_EQ(program_.last.status.waiting, 0u);
}

TEST_F(OutboxTest, UnknownOutcome_IsAskedForWithTheSameIdBeforeAnythingElse) {
  program_.Enqueue(Order(Id(1)));
  program_.Enqueue(Order(Id(2)));
  program_.GoOnline();
  auto effects = program_.Answer(Id(1), Result::kUnknown);
  EXPECT_EQ(Call(effects), "");
  EXPECT_EQ(StateOf(1), kSent);
  EXPECT_TRUE(program_.Wake().connect);
  effects = program_.Step(ConnectionInput{true, ""});
  EXPECT_EQ(Call(effects), "send 1");
  EXPECT_TRUE(effects.records.empty()) << "it is on record already";
}

TEST_F(OutboxTest, Undecided_TheNextOneWaits) {
  program_.Enqueue(Order(Id(1)));
  program_.Enqueue(Order(Id(2)));
  program_.GoOnline();
  EXPECT_EQ(Call(program_.Answer(Id(1), Result::kPayment, PaymentState::kInitiated)), "");
  EXPECT_EQ(Call(program_.Wake()), "send 1");
  EXPECT_EQ(Call(program_.Answer(Id(1), Result::kPayment, PaymentState::kAborted)), "send 2");
}

TEST_F(OutboxTest, MoreThanIsLoadedAtOnce_NothingIsSkipped) {
  for (int n = 1; n <= 100; ++n) {
    program_.Enqueue(Order(Id(static_cast<std::uint8_t>(n)), "a", n <= 90 ? "b" : "c"));
  }
  for (auto& [sequence, item] : disk_.items) {
    if (sequence <= 90) item.order.memo = "\n";
  }
  program_.GoOnline();
  for (int i = 0; i < 10 && !program_.last.call; ++i) program_.Wake();
  EXPECT_EQ(Call(program_.last), "send 91");
  EXPECT_EQ(StateOf(90), kParked);
}

// ---- How it ends ----

TEST_F(OutboxTest, Completed_IsDoneAndTold) {
  program_.Enqueue(Order(Id(1)));
  program_.GoOnline();
  const auto effects = program_.Answer(Id(1), Result::kPayment);
  EXPECT_EQ(StateOf(1), kDone);
  EXPECT_EQ(disk_.Of(Id(1)).payment_state, PaymentState::kCompleted);
  ASSERT_EQ(effects.notices.size(), 1u);
  EXPECT_EQ(effects.notices[0].item, disk_.Of(Id(1)));
}

TEST_F(OutboxTest, Declined_IsDoneNotRetriedAndDoesNotBlock) {
  program_.Enqueue(Order(Id(1)));
  program_.Enqueue(Order(Id(2)));
  program_.GoOnline();
  const auto effects =
      program_.Step(DeliveryInput{Id(1), Result::kPayment, PaymentState::kAborted, "AM04", "not enough", {}});
  EXPECT_EQ(StateOf(1), kDone);
  EXPECT_EQ(disk_.Of(Id(1)).payment_state, PaymentState::kAborted);
  EXPECT_EQ(disk_.Of(Id(1)).reason_code, "AM04");
  EXPECT_EQ(Call(effects), "send 2");
  EXPECT_EQ(program_.Step(RetryInput{{1, 0}, "ann", Id(1)}).answers.at(0).outcome, OutboxOutcome::kHasEnded);
}

TEST_F(OutboxTest, RefusedForGood_IsParkedWithItsReasonAndDoesNotBlock) {
  program_.Enqueue(Order(Id(1)));
  program_.Enqueue(Order(Id(2)));
  program_.GoOnline();
  const auto effects =
      program_.Step(DeliveryInput{Id(1), Result::kRefused, {}, "TRANSACTION_ID_REUSED", "used before", {}});
  EXPECT_EQ(StateOf(1), kParked);
  EXPECT_EQ(disk_.Of(Id(1)).reason_code, "TRANSACTION_ID_REUSED");
  EXPECT_EQ(effects.notices.size(), 1u);
  EXPECT_EQ(Call(effects), "send 2");
}

TEST_F(OutboxTest, RefusedAfterAnUnknownOutcome_IsFirstCancelledAtTheGateway) {
  program_.Enqueue(Order(Id(1)));
  program_.GoOnline();
  program_.Answer(Id(1), Result::kUnknown);
  program_.Wake();
  program_.Step(ConnectionInput{true, ""});
  auto effects = program_.Step(DeliveryInput{Id(1), Result::kRefused, {}, "AG01", "not yours any more", {}});
  EXPECT_EQ(Call(effects), "cancel 1");
  EXPECT_EQ(StateOf(1), kSent);
  program_.Answer(Id(1), Result::kPayment, PaymentState::kCompleted);
  EXPECT_EQ(StateOf(1), kDone) << "it had arrived the first time";
}

TEST_F(OutboxTest, RefusedAfterAnUnknownOutcomeAndCancelled_IsParkedAsRefused) {
  program_.Enqueue(Order(Id(1)));
  program_.GoOnline();
  program_.Answer(Id(1), Result::kUnknown);
  program_.Wake();
  program_.Step(ConnectionInput{true, ""});
  program_.Step(DeliveryInput{Id(1), Result::kRefused, {}, "AG01", "not yours any more", {}});
  program_.AnswerCancelled(Id(1));
  EXPECT_EQ(StateOf(1), kParked);
  EXPECT_EQ(disk_.Of(Id(1)).reason_code, "AG01");
}

TEST_F(OutboxTest, DecidedAndLate_IsFollowedUntilItEndsAndDoesNotBlock) {
  program_.Enqueue(Order(Id(1)));
  program_.Enqueue(Order(Id(2)));
  program_.GoOnline();
  auto effects = program_.Answer(Id(1), Result::kPayment, PaymentState::kPartialCommit);
  EXPECT_EQ(StateOf(1), kFollowed);
  EXPECT_EQ(Call(effects), "send 2");
  program_.Answer(Id(2), Result::kPayment);
  EXPECT_EQ(Call(program_.Wake()), "ask 1");
  program_.Answer(Id(1), Result::kPayment, PaymentState::kPartialCommit);
  EXPECT_EQ(Call(program_.Wake()), "ask 1");
  program_.Answer(Id(1), Result::kPayment, PaymentState::kCompleted);
  EXPECT_EQ(StateOf(1), kDone);
  EXPECT_FALSE(program_.NextDeadline());
}

TEST_F(OutboxTest, SeveralAreFollowed_EachIsAskedAboutInTurn) {
  for (const std::uint8_t n : std::initializer_list<std::uint8_t>{1, 2}) program_.Enqueue(Order(Id(n)));
  program_.GoOnline();
  for (const std::uint8_t n : std::initializer_list<std::uint8_t>{1, 2})
    program_.Answer(Id(n), Result::kPayment, PaymentState::kPartialCommit);
  EXPECT_EQ(Call(program_.Wake()), "ask 1");
  program_.Answer(Id(1), Result::kPayment, PaymentState::kPartialCommit);
  EXPECT_EQ(Call(program_.Wake()), "ask 2");
}

TEST_F(OutboxTest, UnclearAnswers_ParkItInTheEndAndLetTheOthersThrough) {
  program_.Enqueue(Order(Id(1)));
  program_.Enqueue(Order(Id(2)));
  program_.GoOnline();
  for (int i = 0; i < 4; ++i) {
    program_.Answer(Id(1), Result::kUnclear);
    EXPECT_EQ(StateOf(1), kSent);
    EXPECT_EQ(Call(program_.Wake()), "send 1");
  }
  program_.Answer(Id(1), Result::kUnclear);
  EXPECT_EQ(StateOf(1), kParked);
  EXPECT_EQ(disk_.Of(Id(1)).reason_code, "UNKNOWN_OUTCOME");
  EXPECT_TRUE(disk_.Of(Id(1)).may_have_arrived);
  EXPECT_EQ(Call(program_.Wake()), "send 2");
}

TEST_F(OutboxTest, DamagedRow_IsParkedAndDoesNotBlock) {
  program_.Enqueue(Order(Id(1)));
  program_.Enqueue(Order(Id(2)));
  disk_.items[1].damage = "its amount is not a number";
  EXPECT_EQ(Call(program_.GoOnline()), "send 2");
  EXPECT_EQ(disk_.items[1].state, kParked);
  EXPECT_EQ(disk_.items[1].reason_code, "MALFORMED");
}

// ---- The gateway away ----

TEST_F(OutboxTest, GatewayAway_StaysUnsentLetsTheLockGoAndTriesAgainAfterTheInterval) {
  program_.Enqueue(Order(Id(1)));
  program_.Step(LockInput{true});
  const auto effects = program_.Step(ConnectionInput{false, "refused"});
  EXPECT_FALSE(effects.wants_lock);
  EXPECT_TRUE(effects.records.empty());
  EXPECT_EQ(effects.status.last_failure, "refused");
  EXPECT_EQ(StateOf(1), kQueued);
  EXPECT_EQ(*program_.NextDeadline() - program_.now.monotonic, seconds(30));
  EXPECT_TRUE(program_.Wake().connect);
}

TEST_F(OutboxTest, ConnectionComesBack_DeliversAtOnce) {
  program_.Enqueue(Order(Id(1)));
  program_.Step(LockInput{true});
  program_.Step(ConnectionInput{false, "refused"});
  EXPECT_EQ(Call(program_.Step(ConnectionInput{true, ""})), "send 1");
}

TEST_F(OutboxTest, NotSentAfterAll_IsCertainlyUnsentAgain) {
  program_.Enqueue(Order(Id(1)));
  program_.GoOnline();
  program_.Answer(Id(1), Result::kNotSent);
  EXPECT_EQ(StateOf(1), kQueued);
  EXPECT_FALSE(disk_.Of(Id(1)).may_have_arrived);
}

TEST_F(OutboxTest, NotSentTheSecondTime_StillMayHaveArrivedTheFirst) {
  program_.Enqueue(Order(Id(1)));
  program_.GoOnline();
  program_.Answer(Id(1), Result::kUnknown);
  program_.Wake();
  program_.Step(ConnectionInput{true, ""});
  for (Result result : {Result::kNotSent, Result::kTurnedAway, Result::kNotAuthenticated}) {
    program_.Answer(Id(1), result);
    EXPECT_TRUE(disk_.Of(Id(1)).may_have_arrived);
    EXPECT_EQ(StateOf(1), kSent);
    program_.Step(SessionInput{"ann"});
    while (!program_.last.call) {
      if (program_.Wake().connect) program_.Step(ConnectionInput{true, ""});
    }
  }
}

TEST_F(OutboxTest, TurnedAway_WaitsAsLongAsTheServerWishes) {
  program_.Enqueue(Order(Id(1)));
  program_.GoOnline();
  program_.Step(DeliveryInput{Id(1), Result::kTurnedAway, {}, "", "busy", seconds(7)});
  EXPECT_EQ(*program_.NextDeadline() - program_.now.monotonic, seconds(7));
  EXPECT_EQ(Call(program_.Wake()), "send 1");
}

TEST_F(OutboxTest, Restart_TakesUpWhatMayHaveArrivedFirst) {
  program_.Enqueue(Order(Id(1)));
  program_.Enqueue(Order(Id(2)));
  program_.GoOnline();
  Program after(disk_);
  EXPECT_EQ(Call(after.GoOnline()), "send 1");
  EXPECT_EQ(Call(after.Answer(Id(1), Result::kPayment)), "send 2");
}

// ---- Sessions ----

TEST_F(OutboxTest, SessionOver_TheQueueWaitsForALogin) {
  program_.Enqueue(Order(Id(1)));
  program_.GoOnline();
  program_.Answer(Id(1), Result::kNotAuthenticated);
  EXPECT_TRUE(program_.last.status.needs_login);
  EXPECT_EQ(program_.last.status.waiting, 1u);
  EXPECT_FALSE(program_.last.wants_lock);
  program_.Pass(std::chrono::hours(48));
  EXPECT_EQ(Call(program_.Step(TickInput{})), "");
  EXPECT_EQ(Call(program_.Step(SessionInput{"ann"})), "send 1");
}

TEST_F(OutboxTest, AnotherUser_NeverSendsIt) {
  program_.Enqueue(Order(Id(1)));
  Program bob(disk_, "bob");
  bob.GoOnline();
  PaymentOrder his = Order(Id(2));
  his.payer = "bob";
  bob.Enqueue(his);
  EXPECT_EQ(Call(bob.last), "send 2");
  bob.Answer(Id(2), Result::kPayment);
  EXPECT_EQ(Call(bob.last), "");
  EXPECT_EQ(bob.Step(CancelInput{{1, 0}, "bob", Id(1)}).answers.at(0).outcome, OutboxOutcome::kNotFound);
  EXPECT_EQ(StateOf(1), kQueued);
}

TEST_F(OutboxTest, UserChangesWhileACallIsOut_ItsAnswerStillCounts) {
  program_.Enqueue(Order(Id(1)));
  program_.GoOnline();
  program_.Step(SessionInput{"bob"});
  program_.Answer(Id(1), Result::kPayment);
  EXPECT_EQ(StateOf(1), kDone);
}

// ---- Cancel, retry, acknowledge, expire ----

TEST_F(OutboxTest, Cancel_OnlyWhatWasCertainlyNeverSent) {
  program_.Enqueue(Order(Id(1)));
  program_.Enqueue(Order(Id(2)));
  program_.GoOnline();
  EXPECT_EQ(program_.Step(CancelInput{{1, 0}, "ann", Id(1)}).answers.at(0).outcome, OutboxOutcome::kTooLate);
  EXPECT_EQ(program_.Step(CancelInput{{1, 0}, "ann", Id(2)}).answers.at(0).outcome, OutboxOutcome::kAccepted);
  EXPECT_EQ(StateOf(2), kCancelled);
  EXPECT_TRUE(disk_.Of(Id(2)).told) << "whoever cancels it knows";
  EXPECT_EQ(Call(program_.Answer(Id(1), Result::kPayment)), "") << "a cancelled payment is not sent";
}

TEST_F(OutboxTest, Cancel_InAnotherProgramWhileThisOneSends_OneOfThemWins) {
  program_.Enqueue(Order(Id(1)));
  Program other(disk_);
  program_.GoOnline();
  EXPECT_EQ(other.Step(CancelInput{{1, 0}, "ann", Id(1)}).answers.at(0).outcome, OutboxOutcome::kTooLate);
}

TEST_F(OutboxTest, Retry_PutsAParkedPaymentBackWithItsId) {
  program_.Enqueue(Order(Id(1)));
  program_.GoOnline();
  program_.Answer(Id(1), Result::kRefused);
  EXPECT_EQ(Call(program_.Step(RetryInput{{1, 0}, "ann", Id(1)})), "send 1");
}

TEST_F(OutboxTest, Acknowledge_TakesOffTheListOnlyWhatHasEnded) {
  program_.Enqueue(Order(Id(1)));
  EXPECT_EQ(program_.Step(OutboxAcknowledgeInput{{1, 0}, "ann", Id(1)}).answers.at(0).outcome,
            OutboxOutcome::kNotEnded);
  program_.GoOnline();
  program_.Answer(Id(1), Result::kPayment);
  EXPECT_EQ(program_.Step(OutboxAcknowledgeInput{{1, 0}, "bob", Id(1)}).answers.at(0).outcome,
            OutboxOutcome::kNotFound);
  EXPECT_EQ(program_.Step(OutboxAcknowledgeInput{{1, 0}, "ann", Id(1)}).answers.at(0).outcome,
            OutboxOutcome::kAccepted);
  EXPECT_TRUE(disk_.items.empty());
}

TEST_F(OutboxTest, Told_IsKeptAndChangesNothingElse) {
  program_.Enqueue(Order(Id(1)));
  program_.GoOnline();
  program_.Answer(Id(1), Result::kPayment);
  OutboxItem before = disk_.Of(Id(1));
  program_.Pass(seconds(5));
  const auto effects = program_.Step(ToldInput{{Id(1)}});
  before.told = true;
  EXPECT_EQ(disk_.Of(Id(1)), before);
  EXPECT_TRUE(effects.notices.empty());
  EXPECT_TRUE(program_.Step(ToldInput{{Id(1)}}).records.empty());
}

TEST_F(OutboxTest, Expiry_NeverSent_EndsWithoutAsking) {
  program_.Enqueue(Order(Id(1)), program_.now.wall + seconds(60));
  program_.Enqueue(Order(Id(2)));
  program_.Pass(seconds(61));
  EXPECT_EQ(Call(program_.GoOnline()), "send 2");
  EXPECT_EQ(StateOf(1), kExpired);
}

TEST_F(OutboxTest, Expiry_OnceSent_OnlyWhenItIsCancelledAtTheGateway) {
  for (const bool known : {true, false}) {
    Disk disk;
    Program program(disk);
    program.Enqueue(Order(Id(1)), program.now.wall + seconds(60));
    program.GoOnline();
    program.Answer(Id(1), Result::kUnknown);
    program.Pass(seconds(61));
    EXPECT_TRUE(program.Step(TickInput{}).connect);
    EXPECT_EQ(Call(program.Step(ConnectionInput{true, ""})), "cancel 1");
    EXPECT_EQ(disk.Of(Id(1)).state, kSent);
    known ? program.Answer(Id(1), Result::kPayment) : program.AnswerCancelled(Id(1));
    EXPECT_EQ(disk.Of(Id(1)).state, known ? kDone : kExpired);
    EXPECT_EQ(disk.Of(Id(1)).payment_state, known ? PaymentState::kCompleted : PaymentState::kAborted);
  }
}

TEST_F(OutboxTest, Expiry_NoWordOfTheCancellation_IsCancelledAgain) {
  EXPECT_EQ(Call(ExpireOnceSent()), "cancel 1");
  program_.Answer(Id(1), Result::kTurnedAway);
  EXPECT_EQ(StateOf(1), kSent);
  EXPECT_EQ(Call(program_.Wake()), "cancel 1");
}

TEST_F(OutboxTest, Expiry_TheGatewayCanNeverHaveAcceptedIt_Ends) {
  ExpireOnceSent();
  program_.Answer(Id(1), Result::kRefused);
  EXPECT_EQ(StateOf(1), kExpired);
}

// ---- What may be queued ----

TEST_F(OutboxTest, SameIdAgain_IsTheSamePaymentOrRefused) {
  program_.Enqueue(Order(Id(1)));
  EXPECT_EQ(program_.Enqueue(Order(Id(1))).outcome, OutboxOutcome::kAlreadyQueued);
  EXPECT_EQ(program_.Enqueue(Order(Id(1), "a", "c")).outcome, OutboxOutcome::kIdReused);
  EXPECT_EQ(disk_.items.size(), 1u);
}

TEST_F(OutboxTest, TwoInOneStepUnderOneId_AreOnePayment) {
  program_.Step({EnqueueInput{{1, 0}, Order(Id(1)), {}}, EnqueueInput{{2, 0}, Order(Id(1)), {}}});
  EXPECT_EQ(disk_.items.size(), 1u);
}

TEST_F(OutboxTest, BadPayments_AreNotTaken) {
  PaymentOrder bad = Order(Id(1));
  bad.amount.minor_units = 0;
  EXPECT_EQ(program_.Enqueue(bad).outcome, OutboxOutcome::kInvalid);
  bad = Order(Id(1));
  bad.memo = std::string(limits::kMaxMemoBytes + 1, 'x');
  EXPECT_EQ(program_.Enqueue(bad).outcome, OutboxOutcome::kInvalid);
  bad = Order(Id(1));
  bad.to = bad.from;
  EXPECT_EQ(program_.Enqueue(bad).outcome, OutboxOutcome::kInvalid);
  EXPECT_TRUE(disk_.items.empty());
}

TEST_F(OutboxTest, FullQueue_TakesNoMore) {
  OutboxItem item;
  for (std::uint64_t n = 1; n <= kMaxQueuedPayments; ++n) {
    item.sequence = n;
    disk_.items.emplace(n, item);
  }
  disk_.last_sequence = kMaxQueuedPayments;
  EXPECT_EQ(program_.Enqueue(Order(Id(1))).outcome, OutboxOutcome::kFull);
  disk_.items[1].state = kDone;
  EXPECT_EQ(program_.Enqueue(Order(Id(1))).outcome, OutboxOutcome::kAccepted);
}

}  // namespace
}  // namespace strife::protocol
