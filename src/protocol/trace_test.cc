#include "protocol/trace.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/limits.h"
#include "protocol/test_support.h"

namespace strife::protocol {
namespace {

using testing::Id;
using testing::milliseconds;
using testing::Order;
using testing::seconds;
using testing::TestBank;
using testing::TestGateway;
using testing::Usd;
using enum StepKind;

constexpr WallTime kBase{seconds(1'700'000'000)};

TraceContext Context() { return *ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"); }

std::vector<StepKind> Kinds(const Trace& trace) {
  std::vector<StepKind> kinds;
  for (const TraceStep& step : trace.steps) kinds.push_back(step.kind);
  return kinds;
}

// ---- The bytes ----

TEST(Trace, GoesRound) {
  Trace trace;
  trace.context = Context();
  trace.Add({.kind = kReceived, .at = kBase - milliseconds(3)});
  trace.Add({.kind = kRecorded, .epoch = 12, .at = kBase, .until = kBase + milliseconds(4)});
  trace.Add({.kind = kPrepare,
             .leg = 2,
             .outcome = CommandOutcome::kMixedAcknowledged,
             .count = 70'000,
             .at = kBase + seconds(9),
             .until = kBase + seconds(3700)});
  trace.Add({.kind = kInquiry, .leg = 1, .at = kBase + seconds(2)});  // before the step before: a clock was set back
  EXPECT_EQ(Trace::Decode(trace.Encode(kBase, kGatewayTraceBytes), kBase), trace);
  EXPECT_EQ(Trace::ContextOf(trace.Encode(kBase, kGatewayTraceBytes)), trace.context);
}

TEST(Trace, OfAnOrdinaryPayment_KeepsItsSize) {
  for (const auto& context : {std::optional<TraceContext>(), std::optional(Context())}) {
    TestGateway gateway;
    const auto first = gateway.Step({SubmitInput{.reply_to = {1, 0},
                                                 .order = Order(Id(1)),
                                                 .received_at = gateway.now.wall - milliseconds(900),
                                                 .trace = context}});
    gateway.Pass(milliseconds(900));
    gateway.Sent(gateway.now.wall);
    gateway.Reply("a", CommandKind::kPrepare, Id(1), CommandOutcome::kYes);
    const auto decided = gateway.Reply("b", CommandKind::kPrepare, Id(1), CommandOutcome::kYes);
    gateway.Pass(milliseconds(900));
    gateway.Sent(gateway.now.wall);
    gateway.Reply("a", CommandKind::kCommit, Id(1), CommandOutcome::kDone);
    const auto last = gateway.Reply("b", CommandKind::kCommit, Id(1), CommandOutcome::kDone);
    ASSERT_EQ(last.traces.size(), 1u);
    EXPECT_EQ(first.traces.at(0).bytes.size(), last.traces.at(0).bytes.size());
    EXPECT_EQ(decided.traces.at(0).bytes.size(), last.traces.at(0).bytes.size());
  }
}

// As the trace's bytes have it.
std::string Varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out += static_cast<char>(value);
}

TEST(Trace, WhatMakesNoSense_IsNone) {
  const auto decode = [](std::string bytes) { return Trace::Decode(bytes, kBase); };
  EXPECT_TRUE(decode(""));
  EXPECT_TRUE(decode(std::string(64, '\0')));
  EXPECT_FALSE(decode("\x03"));                               // no such form
  EXPECT_FALSE(decode("\x02short"));                          // a context that is cut off
  EXPECT_FALSE(decode("\x01\x1f\x02"));                       // no such kind
  EXPECT_FALSE(decode("\x01\x20\x02\x02"));                   // none at all
  EXPECT_FALSE(decode("\x02" + std::string(25, '\x02')));     // no such flags of a context
  EXPECT_FALSE(decode("\x01\x01"));                           // a time that is missing
  EXPECT_FALSE(decode("\x01\x01" + std::string(9, '\xff')));  // one that does not end
  EXPECT_FALSE(decode(std::string("\x01\x43\x03\x00", 4)));   // a third leg
  EXPECT_FALSE(decode(std::string("\x01\x43\x7c\x00", 4)));   // no such outcome
  const std::uint64_t last = 253402300799999999, base = 1'700'000'000'000'000;
  EXPECT_TRUE(decode("\x01\x01" + Varint((last - base) << 1)));
  EXPECT_FALSE(decode("\x01\x01" + Varint((last - base + 1) << 1)));                             // the year 10000
  EXPECT_FALSE(decode("\x01\x01" + Varint(base << 1 | 1)));                                      // before 1970
  EXPECT_FALSE(decode("\x01\x81\x02" + Varint(std::uint64_t{1} << 32) + std::string(1, '\0')));  // so often
  EXPECT_FALSE(decode(std::string(limits::kMaxTraceBytes + 1, '\0')));
  std::string many("\x01");
  for (std::size_t i = 0; i <= limits::kMaxTraceSteps; ++i) many += "\x01\x02";
  EXPECT_FALSE(decode(many));
}

TEST(Trace, OfMoreStepsThanAreKept_KeepsTheBeginningAndTheEnd) {
  Trace trace;
  for (std::uint32_t n = 1; n <= 100; ++n) {
    trace.Add({.kind = kTakenUp, .epoch = n, .at = kBase + seconds(n)});
  }
  ASSERT_EQ(trace.steps.size(), limits::kMaxTraceSteps);
  EXPECT_EQ(trace.steps.front().epoch, 1u);
  EXPECT_EQ(trace.steps.back().epoch, 100u);
  const TraceStep& middle = trace.steps.at(limits::kMaxTraceSteps / 2);
  EXPECT_EQ(middle.kind, kLeftOut);
  EXPECT_EQ(middle.count, 100 - limits::kMaxTraceSteps + 1);
  EXPECT_EQ(middle.at, kBase + seconds(17));
  EXPECT_EQ(middle.until, kBase + seconds(85));
  EXPECT_EQ(Trace::Decode(trace.Encode(kBase, kGatewayTraceBytes), kBase), trace);
}

TEST(Trace, RepeatedStep_IsCountedWithItsFirstAndLastTime) {
  Trace trace;
  for (int n = 0; n < 3; ++n) {
    trace.Add({.kind = kCommit, .leg = 1, .at = kBase + seconds(n), .until = kBase + seconds(n) + milliseconds(5)});
    trace.Add({.kind = kCommit, .leg = 2, .at = kBase + seconds(n), .until = kBase + seconds(n) + milliseconds(7)});
  }
  ASSERT_EQ(trace.steps.size(), 2u);
  EXPECT_EQ(trace.steps[1].count, 3u);
  EXPECT_EQ(trace.steps[1].at, kBase);
  EXPECT_EQ(trace.steps[1].until, kBase + seconds(2) + milliseconds(7));
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  trace.Add({.kind = kCommit, .leg = 1, .count = kMost, .at = kBase});
  EXPECT_EQ(trace.steps[0].count, kMost);
}

// ---- The gateway's ----

class GatewayTrace : public ::testing::Test {
 protected:
  Trace Shown(const Uuid& id) {
    auto effects = gateway_.Step({TraceInput{{1, 0}, id}});
    EXPECT_EQ(effects.trace_answers.size(), 1u);
    return effects.trace_answers.at(0).trace;
  }
  Trace Written(const Uuid& id) {
    return Trace::Decode(gateway_.traces.at(id), gateway_.payments.at(id).created_at).value();
  }
  void Complete(const PaymentOrder& order) {
    gateway_.Decide(order);
    gateway_.Reply("a", CommandKind::kCommit, order.id, CommandOutcome::kDone);
    gateway_.Reply("b", CommandKind::kCommit, order.id, CommandOutcome::kDone);
  }

  TestGateway gateway_;
};

TEST_F(GatewayTrace, OfACompletedPayment_HasEveryStep) {
  SubmitInput submit{{1, 0}, Order(Id(1))};
  submit.received_at = gateway_.now.wall - milliseconds(1);
  gateway_.Step({submit});
  gateway_.Reply("b", CommandKind::kPrepare, Id(1), CommandOutcome::kYes);
  gateway_.Reply("a", CommandKind::kPrepare, Id(1), CommandOutcome::kYes);
  gateway_.Reply("a", CommandKind::kCommit, Id(1), CommandOutcome::kDone);
  gateway_.Reply("b", CommandKind::kCommit, Id(1), CommandOutcome::kDone);
  EXPECT_EQ(Kinds(Written(Id(1))),
            (std::vector{kReceived, kRecorded, kPrepare, kPrepare, kDecidedCommit, kCommit, kCommit, kCompleted}));
  EXPECT_EQ(Written(Id(1)).steps[2].leg, 2);
  EXPECT_EQ(Written(Id(1)).steps[2].outcome, CommandOutcome::kYes);
}

TEST_F(GatewayTrace, HasTheTimesAtWhichMessagesCameAndWent) {
  gateway_.Submit(Order(Id(1)));
  const Exchange exchange{gateway_.now.wall + milliseconds(3), gateway_.now.wall + milliseconds(9)};
  gateway_.Step({BankRepliesInput{"a", {{CommandKind::kPrepare, Id(1), CommandOutcome::kYes, "", ""}}, exchange}});
  const TraceStep prepare = Shown(Id(1)).steps.at(1);
  EXPECT_EQ(prepare.at, exchange.sent_at);
  EXPECT_EQ(prepare.until, exchange.ended_at);
}

TEST_F(GatewayTrace, HasTheTimesOfWhatGotNoAnswer) {
  gateway_.Submit(Order(Id(1)));
  const Exchange exchange{gateway_.now.wall + milliseconds(3), gateway_.now.wall + milliseconds(9)};
  gateway_.Step({UndeliveredInput{"a", {{Id(1), CommandKind::kPrepare}}, exchange}});
  const TraceStep prepare = Shown(Id(1)).steps.at(1);
  EXPECT_EQ(prepare.at, exchange.sent_at);
  EXPECT_EQ(prepare.until, exchange.ended_at);
  EXPECT_FALSE(prepare.outcome);
}

TEST_F(GatewayTrace, WhatWentOnRecord_HasTheTimeItWasDurable) {
  const auto sent = [&] {
    gateway_.Pass(milliseconds(3));
    gateway_.Sent(gateway_.now.wall);
    return gateway_.now.wall;
  };
  gateway_.Submit(Order(Id(1)));
  const WallTime recorded = sent();
  gateway_.Reply("a", CommandKind::kPrepare, Id(1), CommandOutcome::kYes);
  sent();
  gateway_.Reply("b", CommandKind::kPrepare, Id(1), CommandOutcome::kYes);
  sent();
  gateway_.Restart();
  sent();
  gateway_.Pass(seconds(40));
  gateway_.Step();
  const WallTime late = sent();
  gateway_.Reply("a", CommandKind::kCommit, Id(1), CommandOutcome::kDone);
  gateway_.Reply("b", CommandKind::kCommit, Id(1), CommandOutcome::kDone);
  const WallTime completed = sent();
  std::vector<std::pair<StepKind, std::optional<WallTime>>> ends;
  for (const TraceStep& step : Shown(Id(1)).steps) {
    if (step.leg == 0) ends.emplace_back(step.kind, step.until);
  }
  // Of the decision that had no time on disk before the restart.
  EXPECT_EQ(ends, (std::vector<std::pair<StepKind, std::optional<WallTime>>>{{kRecorded, recorded},
                                                                             {kDecidedCommit, std::nullopt},
                                                                             {kTakenUp, std::nullopt},
                                                                             {kLate, late},
                                                                             {kCompleted, completed}}));
}

TEST_F(GatewayTrace, WhatCameAfterARecord_IsNotWhatWasDurable) {
  gateway_.Step({SubmitInput{{1, 0}, Order(Id(1))}, SubmitInput{{2, 0}, Order(Id(1))}});
  const WallTime recorded = gateway_.now.wall + milliseconds(3);
  gateway_.Sent(recorded);
  const Trace asked = Shown(Id(1));
  ASSERT_EQ(asked.steps[1].kind, kAskedAgain);
  EXPECT_EQ(asked.steps[0].until, recorded);
  EXPECT_FALSE(asked.steps[1].until);

  gateway_.Reply("a", CommandKind::kPrepare, Id(1), CommandOutcome::kYes);
  gateway_.Reply("b", CommandKind::kPrepare, Id(1), CommandOutcome::kYes);
  const WallTime decided = recorded + milliseconds(3);
  gateway_.Sent(decided);
  gateway_.Reply("b", CommandKind::kCommit, Id(1), CommandOutcome::kMixed);  // goes on record, too
  gateway_.Sent(decided + milliseconds(3));
  const Trace mixed = Shown(Id(1));
  ASSERT_EQ(mixed.steps[4].kind, kDecidedCommit);
  EXPECT_EQ(mixed.steps[4].until, decided);
}

TEST_F(GatewayTrace, WhatWasSent_IsOfTheLastStepOnly) {
  gateway_.Submit(Order(Id(1)));
  gateway_.Step();
  gateway_.Sent(gateway_.now.wall);
  EXPECT_FALSE(Shown(Id(1)).steps[0].until);
}

TEST_F(GatewayTrace, OfADeclinedPayment_HasWhatWasUnderWayAndTheAbort) {
  gateway_.Submit(Order(Id(1)));
  gateway_.Reply("a", CommandKind::kPrepare, Id(1), CommandOutcome::kNo);
  gateway_.Pass(milliseconds(1));
  const WallTime durable = gateway_.now.wall;
  gateway_.Sent(durable);
  gateway_.Reply("b", CommandKind::kAbort, Id(1), CommandOutcome::kDone);
  const Trace trace = Shown(Id(1));
  ASSERT_EQ(Kinds(trace), (std::vector{kRecorded, kPrepare, kPrepare, kDecidedAbort, kReplied, kAbort}));
  EXPECT_EQ(trace.steps[1].outcome, CommandOutcome::kNo);
  EXPECT_FALSE(trace.steps[2].outcome);
  EXPECT_EQ(trace.steps[3].until, durable);
  EXPECT_EQ(trace.steps[5].leg, 2);
}

TEST_F(GatewayTrace, OfWhatABankAskedAboutInVain_IsTheQuestionAndTheAbort) {
  gateway_.Inquire("b", Id(9), std::nullopt);
  const Trace trace = Written(Id(9));
  ASSERT_EQ(Kinds(trace), (std::vector{kInquiry, kDecidedAbort}));
  EXPECT_EQ(trace.steps[1].epoch, 1u);
}

TEST_F(GatewayTrace, OfAnOpenPayment_ShowsWhatIsUnderWay) {
  gateway_.Submit(Order(Id(1)));
  const WallTime submitted = gateway_.now.wall;
  gateway_.Pass(milliseconds(1));
  gateway_.Reply("a", CommandKind::kPrepare, Id(1), CommandOutcome::kYes);
  const Trace trace = Shown(Id(1));
  EXPECT_EQ(Kinds(trace), (std::vector{kRecorded, kPrepare, kPrepare}));
  EXPECT_EQ(trace.steps.back().at, submitted);
  EXPECT_FALSE(trace.steps.back().outcome);
  EXPECT_FALSE(trace.steps.back().until);
}

TEST_F(GatewayTrace, AfterARestart_GoesOnWithTheNewEpoch) {
  gateway_.Decide(Order(Id(1)));
  gateway_.Restart();
  gateway_.Reply("a", CommandKind::kCommit, Id(1), CommandOutcome::kDone);
  gateway_.Reply("b", CommandKind::kCommit, Id(1), CommandOutcome::kDone);
  const Trace trace = Written(Id(1));
  EXPECT_EQ(Kinds(trace),
            (std::vector{kRecorded, kPrepare, kPrepare, kDecidedCommit, kTakenUp, kCommit, kCommit, kCompleted}));
  EXPECT_EQ(trace.steps[0].epoch, 1u);
  EXPECT_EQ(trace.steps[4].epoch, 2u);
}

TEST_F(GatewayTrace, OfWhatCannotBeRead_GoesOnFromTheRecord) {
  gateway_.Decide(Order(Id(1)));
  gateway_.traces[Id(1)] = "\x07nonsense";
  gateway_.Restart();
  EXPECT_EQ(Kinds(Written(Id(1))), (std::vector{kRecorded, kDecidedCommit, kTakenUp}));
}

TEST_F(GatewayTrace, OfAnEndedPaymentThatCannotBeRead_IsLeftAsItIs) {
  Complete(Order(Id(1)));
  gateway_.Restart();
  gateway_.traces[Id(1)] = "\x07nonsense";
  gateway_.Submit(Order(Id(1)));
  gateway_.Pass(seconds(2));
  gateway_.Step();
  EXPECT_EQ(gateway_.traces.at(Id(1)), "\x07nonsense");
}

TEST_F(GatewayTrace, OfAPaymentFromBeforeThereWereTraces_IsMadeOfItsRecord) {
  Complete(Order(Id(1)));
  gateway_.traces.clear();
  gateway_.Restart();
  EXPECT_EQ(Kinds(Shown(Id(1))), (std::vector{kRecorded, kCompleted}));
}

TEST_F(GatewayTrace, AttemptsWithoutAnAnswer_AreCounted) {
  gateway_.Decide(Order(Id(1)));
  gateway_.Reply("a", CommandKind::kCommit, Id(1), CommandOutcome::kDone);
  for (int n = 0; n < 5; ++n) {
    gateway_.Lose("b", CommandKind::kCommit, Id(1));
    gateway_.Pass(seconds(10));
    gateway_.Step();
  }
  gateway_.Reply("b", CommandKind::kCommit, Id(1), CommandOutcome::kDone);
  const Trace trace = Written(Id(1));
  EXPECT_EQ(Kinds(trace),
            (std::vector{kRecorded, kPrepare, kPrepare, kDecidedCommit, kCommit, kCommit, kLate, kCommit, kCompleted}));
  EXPECT_EQ(trace.steps[5].count, 5u);
  EXPECT_FALSE(trace.steps[5].outcome);
}

TEST_F(GatewayTrace, TheReply_IsWrittenWithTheNextPayment) {
  Complete(Order(Id(1)));
  gateway_.Sent(gateway_.now.wall + milliseconds(4));
  EXPECT_EQ(Kinds(Written(Id(1))).back(), kCompleted);
  gateway_.Submit(Order(Id(2)));
  EXPECT_EQ(Kinds(Written(Id(1))).back(), kReplied);
  EXPECT_EQ(Written(Id(1)).steps.back().at, gateway_.now.wall + milliseconds(4));
}

TEST_F(GatewayTrace, TheReply_IsWrittenAfterASecondAtTheLatest) {
  Complete(Order(Id(1)));
  gateway_.Sent(gateway_.now.wall);
  ASSERT_TRUE(gateway_.coordinator().NextDeadline());
  EXPECT_LE(*gateway_.coordinator().NextDeadline(), gateway_.now.monotonic + seconds(1));
  EXPECT_EQ(Kinds(Shown(Id(1))).back(), kReplied);
  gateway_.Pass(seconds(1));
  gateway_.Step();
  EXPECT_EQ(Kinds(Written(Id(1))).back(), kReplied);
  gateway_.Pass(seconds(1));
  EXPECT_TRUE(gateway_.Step().traces.empty()) << "once";
  gateway_.Restart();
  EXPECT_EQ(Kinds(Shown(Id(1))).back(), kReplied);
}

TEST_F(GatewayTrace, WhatIsNotedInAQuietGateway_IsWrittenAfterASecond) {
  Complete(Order(Id(1)));
  gateway_.Pass(std::chrono::hours(1));
  gateway_.Step();
  ASSERT_FALSE(gateway_.coordinator().NextDeadline());
  gateway_.Submit(Order(Id(1)));
  EXPECT_EQ(gateway_.coordinator().NextDeadline(), gateway_.now.monotonic + seconds(1));
}

TEST_F(GatewayTrace, TheSamePaymentAgain_IsNotedEvenAfterARestart) {
  Complete(Order(Id(1)));
  gateway_.Restart();
  gateway_.Submit(Order(Id(1)));
  gateway_.Submit(Order(Id(1)));
  EXPECT_EQ(Shown(Id(1)).steps.back().kind, kAskedAgain);
  EXPECT_EQ(Shown(Id(1)).steps.back().count, 2u);
  gateway_.Pass(seconds(2));
  gateway_.Step();
  EXPECT_EQ(Written(Id(1)).steps.back().count, 2u);
}

TEST_F(GatewayTrace, AnotherPaymentUnderTheSameId_IsNotNoted) {
  Complete(Order(Id(1)));
  auto other = Order(Id(1));
  other.amount = Usd(7);
  gateway_.Submit(other);
  EXPECT_EQ(Kinds(Shown(Id(1))).back(), kCompleted);
}

TEST_F(GatewayTrace, ManyRepeatedIds_AreKeptWithinBounds) {
  Complete(Order(Id(1)));
  gateway_.Restart();
  std::vector<CoordinatorInput> inputs;
  for (int n = 0; n < 3; ++n) inputs.push_back(SubmitInput{{1, 0}, Order(Id(1))});
  for (std::size_t n = 0; n < 50; ++n) gateway_.Step(inputs);
  EXPECT_EQ(Shown(Id(1)).steps.back().count, 150u);
}

TEST_F(GatewayTrace, MoreRepeatedPaymentsThanAreKept_AreNotNoted) {
  Complete(Order(Id(1)));
  gateway_.Restart();
  std::vector<CoordinatorInput> inputs;
  for (std::size_t n = 0; n <= limits::kMaxUnwrittenTraces; ++n) {
    PaymentRecord payment = gateway_.payments.at(Id(1));
    payment.order.id.bytes[0] = 1;
    payment.order.id.bytes[1] = static_cast<std::uint8_t>(n >> 8);
    payment.order.id.bytes[2] = static_cast<std::uint8_t>(n);
    inputs.push_back(SubmitInput{{1, 0}, payment.order});
    gateway_.payments.emplace(payment.order.id, payment);
  }
  gateway_.Step(std::move(inputs));
  gateway_.Pass(seconds(2));
  EXPECT_EQ(gateway_.Step().traces.size(), limits::kMaxUnwrittenTraces);
}

TEST_F(GatewayTrace, TheCallersContext_GoesToTheBanksWithAnotherParent) {
  SubmitInput submit{{1, 0}, Order(Id(1))};
  submit.trace = Context();
  const auto effects = gateway_.Step({submit});
  ASSERT_EQ(effects.commands.size(), 2u);
  ASSERT_TRUE(effects.commands[0].command.trace);
  EXPECT_EQ(effects.commands[0].command.trace->trace_id, Context().trace_id);
  EXPECT_NE(effects.commands[0].command.trace->parent_id, Context().parent_id);
  EXPECT_EQ(Trace::ContextOf(gateway_.traces.at(Id(1))), Context());
  const auto after_restart = gateway_.Restart();
  ASSERT_EQ(after_restart.commands.size(), 2u);
  EXPECT_EQ(after_restart.commands[0].command.trace->trace_id, Context().trace_id);
  EXPECT_NE(after_restart.commands[0].command.trace, effects.commands[0].command.trace) << "another incarnation's";
}

TEST_F(GatewayTrace, ABanksQuestion_IsNoted) {
  gateway_.Decide(Order(Id(1)));
  gateway_.Inquire("b", Id(1));
  EXPECT_EQ(Shown(Id(1)).steps.at(4).kind, kInquiry);
  EXPECT_EQ(Shown(Id(1)).steps.at(4).leg, 2);
}

// ---- A bank's ----

class BankTrace : public ::testing::Test {
 protected:
  void SetUp() override { bank_.Open("payer", 1000); }
  Trace Written(const Uuid& id) {
    return Trace::Decode(bank_.traces.at(id), bank_.transaction_rows.at(id).created_at).value();
  }
  TestBank bank_;
};

TEST_F(BankTrace, HasTheCommandsWithTheTimeTheyArrivedAndTheGatewaysEpoch) {
  CommandInput prepare{{1, 0}, bank_.Command(CommandKind::kPrepare, Order(Id(1)), 7)};
  prepare.arrived_at = bank_.now.wall - milliseconds(2);
  bank_.Step({prepare});
  bank_.Pass(milliseconds(5));
  bank_.Do(CommandKind::kCommit, Order(Id(1)), 8);
  const Trace trace = Written(Id(1));
  ASSERT_EQ(Kinds(trace), (std::vector{kPrepare, kCommit}));
  EXPECT_EQ(trace.steps[0].at, *prepare.arrived_at);
  EXPECT_EQ(trace.steps[0].until, bank_.now.wall - milliseconds(5));
  EXPECT_EQ(trace.steps[0].outcome, CommandOutcome::kYes);
  EXPECT_EQ(trace.steps[0].epoch, 7u);
  EXPECT_EQ(trace.steps[1].outcome, CommandOutcome::kDone);
  EXPECT_EQ(trace.steps[1].epoch, 8u);
}

TEST_F(BankTrace, OfARefusal_IsWrittenWithIt) {
  auto order = Order(Id(1));
  order.amount = Usd(100'000);
  bank_.Do(CommandKind::kPrepare, order);
  ASSERT_EQ(Kinds(Written(Id(1))), (std::vector{kPrepare}));
  EXPECT_EQ(Written(Id(1)).steps[0].outcome, CommandOutcome::kNo);
}

TEST_F(BankTrace, OfATombstone_IsItsAbort) {
  bank_.Do(CommandKind::kAbort, Order(Id(1)));
  EXPECT_EQ(Kinds(Written(Id(1))), (std::vector{kAbort}));
}

TEST_F(BankTrace, HasARestartAndTheQuestionsAskedAfterIt) {
  bank_.Do(CommandKind::kPrepare, Order(Id(1)));
  bank_.Restart();
  for (int n = 0; n < 3; ++n) {
    bank_.Step();
    bank_.Step({InquiryAnswered{Id(1), std::nullopt, 0}});
    bank_.Pass(seconds(10));
  }
  bank_.Step();
  bank_.Step({InquiryAnswered{Id(1), Decision::kCommit, 3}});
  const Trace trace = Written(Id(1));
  EXPECT_EQ(Kinds(trace), (std::vector{kPrepare, kTakenUp, kInquiry, kCommit}));
  EXPECT_EQ(trace.steps[2].count, 4u);
}

TEST_F(BankTrace, OfARefusalAndItsAbortInOneBatch_HasBoth) {
  auto order = Order(Id(1));
  order.amount = Usd(100'000);
  bank_.Step({CommandInput{{1, 0}, bank_.Command(CommandKind::kPrepare, order)},
              CommandInput{{2, 0}, bank_.Command(CommandKind::kAbort, order)}});
  EXPECT_EQ(Kinds(Written(Id(1))), (std::vector{kPrepare, kAbort}));
}

TEST_F(BankTrace, OfAnEndedTransaction_GoesOnWhenAnotherGatewayAsksAgain) {
  bank_.Do(CommandKind::kPrepare, Order(Id(1)));
  bank_.Do(CommandKind::kCommit, Order(Id(1)));
  bank_.Do(CommandKind::kCommit, Order(Id(1)), 2);
  ASSERT_EQ(Kinds(Written(Id(1))), (std::vector{kPrepare, kCommit}));
  EXPECT_EQ(Written(Id(1)).steps[1].count, 2u);
  bank_.traces[Id(1)] = "\x07nonsense";
  bank_.Do(CommandKind::kCommit, Order(Id(1)), 3);
  EXPECT_EQ(Kinds(Written(Id(1))), (std::vector{kCommit})) << "begun anew";
}

TEST_F(BankTrace, OfWhatCannotBeRead_IsBegunAnew) {
  bank_.Do(CommandKind::kPrepare, Order(Id(1)));
  bank_.traces[Id(1)] = "\x07nonsense";
  bank_.Restart();
  bank_.Do(CommandKind::kCommit, Order(Id(1)));
  EXPECT_EQ(Kinds(Written(Id(1))), (std::vector{kTakenUp, kCommit}));
}

TEST_F(BankTrace, IsOfPaymentsOnly) {
  bank_.Step({DirectInput{.reply_to = {1, 0}, .id = Id(5), .account_id = "payer", .amount = Usd(7)},
              CommandInput{{2, 0}, bank_.Command(CommandKind::kCommit, Order(Id(5)))}});
  ASSERT_TRUE(bank_.transaction_rows.contains(Id(5)));
  EXPECT_FALSE(bank_.traces.contains(Id(5)));
}

TEST_F(BankTrace, KeepsTheContextTheGatewayHasSent) {
  auto command = bank_.Command(CommandKind::kPrepare, Order(Id(1)));
  command.trace = Context();
  bank_.Do(command);
  bank_.Restart();
  bank_.Do(CommandKind::kCommit, Order(Id(1)));
  EXPECT_EQ(Trace::ContextOf(bank_.traces.at(Id(1))), Context());
}

TEST_F(BankTrace, TellsThatOperatorsHaveDecided) {
  bank_.Do(CommandKind::kPrepare, Order(Id(1)));
  bank_.Step({ForceInput{{1, 0}, Id(1), Decision::kAbort, "olga"}});
  bank_.Step({ForceInput{{1, 0}, Id(1), Decision::kAbort, "otto"}});
  EXPECT_EQ(Kinds(Written(Id(1))), (std::vector{kPrepare, kForced}));
}

}  // namespace
}  // namespace strife::protocol
