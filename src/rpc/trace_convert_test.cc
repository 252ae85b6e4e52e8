#include "rpc/trace_convert.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "protocol/test_support.h"

namespace strife::rpc {
namespace {

using protocol::BankTransactionState;
using protocol::CommandOutcome;
using protocol::StepKind;
using protocol::TraceStep;
using protocol::testing::Id;
using protocol::testing::Order;
using protocol::testing::seconds;

constexpr WallTime kNow{seconds(1'700'000'000)};

PaymentTrace Sample() {
  PaymentTrace trace;
  trace.payment.order = Order(Id(1));
  trace.payment.state = protocol::PaymentState::kCompleted;
  trace.payment.created_at = trace.payment.updated_at = kNow;
  trace.trace.context = protocol::ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  trace.trace.steps = {{.kind = StepKind::kRecorded, .epoch = 4, .at = kNow, .until = kNow + seconds(1)},
                       {.kind = StepKind::kCommit, .leg = 2, .outcome = CommandOutcome::kDone, .count = 3, .at = kNow}};
  trace.banks = {{.bank_id = "a", .problem = {}, .state = BankTransactionState::kAborted, .reason_code = "AM04"},
                 {.bank_id = "b", .problem = "it cannot be reached"}};
  trace.banks[0].steps = {{.kind = StepKind::kPrepare, .outcome = CommandOutcome::kNo, .at = kNow}};
  return trace;
}

v1::PaymentTrace Message() {
  v1::PaymentTrace message;
  ToProto(Sample(), message);
  return message;
}

TEST(TraceConvert, GoesRound) {
  const auto read = FromProto(Message());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->payment.order.payer, "ann");
  EXPECT_EQ(read->trace, Sample().trace);
  ASSERT_EQ(read->banks.size(), 2u);
  EXPECT_EQ(read->banks[0].state, BankTransactionState::kAborted);
  EXPECT_EQ(read->banks[0].reason_code, "AM04");
  EXPECT_EQ(read->banks[0].steps, Sample().banks[0].steps);
  EXPECT_EQ(read->banks[1].problem, "it cannot be reached");
}

TEST(TraceConvert, StepsThatMakeNoSense_AreLeftOut) {
  const auto steps_with = [](const auto& spoil) {
    v1::PaymentTrace message = Message();
    spoil(*message.mutable_steps(1));
    return FromProto(message)->trace.steps.size();
  };
  EXPECT_EQ(steps_with([](v1::TraceStep&) {}), 2u);
  EXPECT_EQ(steps_with([](v1::TraceStep& step) { step.set_event(v1::TRACE_EVENT_UNSPECIFIED); }), 1u);
  EXPECT_EQ(steps_with([](v1::TraceStep& step) { step.set_event(static_cast<v1::TraceEvent>(99)); }), 1u);
  EXPECT_EQ(steps_with([](v1::TraceStep& step) { step.set_event(static_cast<v1::TraceEvent>(-1)); }), 1u);
  EXPECT_EQ(steps_with([](v1::TraceStep& step) { step.set_outcome(static_cast<v1::TraceOutcome>(99)); }), 1u);
  EXPECT_EQ(steps_with([](v1::TraceStep& step) { step.set_outcome(static_cast<v1::TraceOutcome>(-7)); }), 1u);
  EXPECT_EQ(steps_with([](v1::TraceStep& step) { step.set_bank_id("stranger"); }), 1u);
  EXPECT_EQ(steps_with([](v1::TraceStep& step) { step.mutable_at()->set_seconds(-1); }), 1u);
  EXPECT_EQ(steps_with([](v1::TraceStep& step) { step.mutable_until()->set_nanos(-1); }), 1u);
}

TEST(TraceConvert, MoreStepsOrBanksThanThereAre_AreCutOff) {
  v1::PaymentTrace message = Message();
  for (int n = 0; n < 1000; ++n) *message.add_steps() = message.steps(0);
  for (int n = 0; n < 10; ++n) message.add_banks();
  EXPECT_LE(FromProto(message)->trace.steps.size(), limits::kMaxTraceSteps + 1);
  EXPECT_EQ(FromProto(message)->banks.size(), 2u);
}

TEST(TraceConvert, WhatABankSays_IsMadeFitToBeShown) {
  v1::GetTransactionStatusResponse response;
  response.set_state(static_cast<v1::BankTransactionState>(77));
  response.set_reason_code("\x1b[31m" + std::string(1000, 'x'));
  response.add_steps()->set_event(v1::TRACE_EVENT_PREPARE);  // without a time: 1970
  const BankTrace trace = FromProto("b", response);
  EXPECT_FALSE(trace.state);
  EXPECT_LE(trace.reason_code.size(), limits::kMaxReasonCodeBytes);
  EXPECT_EQ(trace.reason_code.find('\x1b'), std::string::npos);
}

TEST(TraceConvert, APaymentThatCannotBeRead_IsNone) {
  v1::PaymentTrace message = Message();
  message.mutable_payment()->set_transaction_id("no id");
  EXPECT_FALSE(FromProto(message));
}

}  // namespace
}  // namespace strife::rpc
