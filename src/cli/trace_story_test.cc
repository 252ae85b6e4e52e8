#include "cli/trace_story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/trace_view.h"
#include "protocol/reason.h"
#include "protocol/test_support.h"

namespace strife::cli {
namespace {

using protocol::CommandOutcome;
using protocol::PaymentState;
using protocol::StepKind;
using protocol::testing::Id;
using protocol::testing::milliseconds;
using protocol::testing::Order;
using protocol::testing::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr WallTime kStart{seconds(1'700'000'000)};

WallTime After(Duration time) { return kStart + time; }

// A payment from bank a to bank b that was recorded and of which bank a has said YES.
TraceSources Begun(PaymentState state, std::string_view reason = {}) {
  rpc::PaymentTrace trace;
  trace.payment.order = Order(Id(1));
  trace.payment.state = state;
  trace.payment.reason_code = reason;
  trace.payment.message = protocol::reason::Describe(reason);
  trace.trace.steps = {{.kind = StepKind::kReceived, .at = kStart},
                       {.kind = StepKind::kRecorded, .epoch = 3, .at = After(milliseconds(1))},
                       {.kind = StepKind::kPrepare,
                        .leg = 1,
                        .outcome = CommandOutcome::kYes,
                        .at = After(milliseconds(4)),
                        .until = After(milliseconds(7))}};
  trace.banks = {{.bank_id = "a", .problem = {}, .state = protocol::BankTransactionState::kAborted},
                 {.bank_id = "b", .problem = "it cannot be reached"}};
  return {trace, std::nullopt};
}

TraceSources& With(TraceSources& sources, protocol::TraceStep step) {
  sources.trace->trace.Add(step);
  return sources;
}

TEST(Explanation, OfARefusal_NamesTheBankAndTheReason) {
  auto sources = Begun(PaymentState::kAborted, protocol::reason::kInsufficientFunds);
  With(sources, {.kind = StepKind::kPrepare, .leg = 2, .outcome = CommandOutcome::kNo, .at = After(milliseconds(5))});
  EXPECT_THAT(Explanation(sources), HasSubstr("Declined by b (AM04 "));
  EXPECT_THAT(Explanation(sources), HasSubstr("nothing was moved."));
}

TEST(Explanation, OfABankThatIsAway_SaysHowOftenItWasTried) {
  auto sources = Begun(PaymentState::kAborted, protocol::reason::kBankOffline);
  With(sources,
       {.kind = StepKind::kPrepare, .leg = 2, .count = 4, .at = After(milliseconds(5)), .until = After(seconds(2))});
  EXPECT_EQ(Explanation(sources), "Declined: b did not answer 4 times and counts as away; nothing was moved.");
}

TEST(Explanation, OfABankThatIsBusy_DoesNotSayThatNobodyWasAsked) {
  auto sources = Begun(PaymentState::kAborted, protocol::reason::kBankOffline);
  With(sources, {.kind = StepKind::kPrepare,
                 .leg = 2,
                 .outcome = CommandOutcome::kOverloaded,
                 .count = 6,
                 .at = After(milliseconds(5)),
                 .until = After(seconds(2))});
  EXPECT_EQ(Explanation(sources),
            "Declined: b did not take the request in time and counts as away; nothing was moved.");
}

TEST(Explanation, OfACancellation_SaysWhoGaveItUp) {
  EXPECT_EQ(Explanation(Begun(PaymentState::kAborted, protocol::reason::kOrderCancelled)),
            "Given up by its user, who had no answer, before it had begun; nothing was moved.");
}

TEST(Explanation, OfATimeout_NamesTheBankThatWasLate) {
  const auto sources = Begun(PaymentState::kAborted, protocol::reason::kTimeoutCreditorAgent);
  EXPECT_EQ(Explanation(sources), "Declined: b did not answer within the transaction timeout; nothing was moved.");
}

TEST(Explanation, OfALateCompletion_SaysHowLateAndWhy) {
  auto sources = Begun(PaymentState::kCompleted);
  With(sources, {.kind = StepKind::kDecidedCommit, .at = After(seconds(1))});
  With(sources, {.kind = StepKind::kCommit, .leg = 2, .count = 6, .at = After(seconds(2)), .until = After(seconds(9))});
  With(sources, {.kind = StepKind::kLate, .at = After(seconds(6))});
  With(sources, {.kind = StepKind::kCommit,
                 .leg = 2,
                 .outcome = CommandOutcome::kDone,
                 .at = After(seconds(12)),
                 .until = After(seconds(13))});
  With(sources, {.kind = StepKind::kCompleted, .at = After(seconds(13))});
  EXPECT_EQ(Explanation(sources),
            "Completed late: b confirmed only 12.00 s after the decision: b did not answer 6 times.");
}

TEST(Explanation, OfAGatewayThatWasRestarted_SaysSo) {
  auto sources = Begun(PaymentState::kCompleted);
  With(sources, {.kind = StepKind::kTakenUp, .epoch = 4, .at = After(seconds(3))});
  With(sources, {.kind = StepKind::kCompleted, .at = After(seconds(4))});
  EXPECT_EQ(Explanation(sources), "Completed; the gateway was started again in between and finished it.");
  auto given_up = Begun(PaymentState::kAborted, protocol::reason::kGatewayRestarted);
  EXPECT_THAT(Explanation(given_up), HasSubstr("the gateway stopped before every bank had voted"));
}

TEST(Explanation, OfARepeatedId_SaysThatItWasPaidOnce) {
  auto sources = Begun(PaymentState::kCompleted);
  With(sources, {.kind = StepKind::kCompleted, .at = After(milliseconds(20)), .until = After(milliseconds(25))});
  With(sources, {.kind = StepKind::kAskedAgain, .count = 2, .at = After(seconds(1)), .until = After(seconds(2))});
  EXPECT_EQ(Explanation(sources), "Completed in 25.0 ms. The same id came 2 times more; it was paid once.");
}

TEST(Explanation, OfAQueuedPayment_SaysHowLongItWaited) {
  auto sources = Begun(PaymentState::kCompleted);
  With(sources, {.kind = StepKind::kCompleted, .at = After(milliseconds(20))});
  sources.queued = protocol::OutboxItem{};
  sources.queued->order = Order(Id(1));
  sources.queued->queued_at = kStart - std::chrono::minutes(62);
  EXPECT_THAT(Explanation(sources), HasSubstr("It had waited in this client's queue for 1 h 2 min."));
  sources.trace.reset();
  EXPECT_EQ(Explanation(sources), "In the queue: it has not been sent; the gateway knows nothing of it.");
}

TEST(Explanation, OfAnOpenPayment_SaysWhomItWaitsFor) {
  auto sources = Begun(PaymentState::kInitiated);
  With(sources, {.kind = StepKind::kPrepare, .leg = 2, .at = After(milliseconds(4))});
  EXPECT_EQ(Explanation(sources), "Not decided yet: waits for the vote of b.");
}

TEST(TraceText, HasALineForEachStepInTheOrderOfTime_AndNamesABankThatTellsNothing) {
  auto sources = Begun(PaymentState::kAborted, protocol::reason::kInsufficientFunds);
  sources.trace->banks[0].steps = {{.kind = StepKind::kPrepare,
                                    .outcome = CommandOutcome::kYes,
                                    .at = After(milliseconds(5)),
                                    .until = After(milliseconds(6))}};
  const std::string text = TraceText(sources);
  EXPECT_THAT(text, HasSubstr("+4.0 ms  3.0 ms  gateway  asked a to prepare: YES\n"));
  EXPECT_THAT(text, HasSubstr("+5.0 ms  1.0 ms  a        prepare arrived: held, YES\n"));
  EXPECT_LT(text.find("asked a to prepare"), text.find("prepare arrived"));
  EXPECT_THAT(text, HasSubstr("! b tells nothing: it cannot be reached"));
}

TEST(TraceText, WhatOthersSay_CannotForgeALine) {
  auto sources = Begun(PaymentState::kAborted);
  sources.trace->banks[0].bank_id = "a\n+0.0 ms  gateway";
  EXPECT_THAT(TraceText(sources), Not(HasSubstr("\n+0.0 ms  gateway")));
}

TEST(SpanText, IsShort) {
  EXPECT_EQ(SpanText(Duration(0)), "0 us");
  EXPECT_EQ(SpanText(Duration(999)), "999 us");
  EXPECT_EQ(SpanText(Duration(1500)), "1.5 ms");
  EXPECT_EQ(SpanText(Duration(-2'500'000)), "-2.50 s");
  EXPECT_EQ(SpanText(seconds(200)), "3 min 20 s");
  EXPECT_EQ(SpanText(seconds(3720)), "1 h 2 min");
}

}  // namespace
}  // namespace strife::cli
