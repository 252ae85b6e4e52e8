#include "rpc/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/limits.h"
#include "protocol/reason.h"
#include "protocol/test_support.h"

namespace strife::rpc {
namespace {

using protocol::BankCommand;
using protocol::BankReply;
using protocol::PaymentState;
using protocol::testing::Id;
using protocol::testing::Order;
using protocol::testing::Usd;
using enum protocol::CommandKind;
using enum protocol::CommandOutcome;

constexpr std::uint64_t kTooLarge = std::uint64_t{1} << 63;  // does not fit what a store can hold

BankCommand Command(protocol::CommandKind kind) {
  BankCommand command{kind, Id(1), 7, Id(200), 42, {}, {}, {}};
  if (kind != kPrepare) return command;
  command.from = {"a", "payer"};
  command.to = {"b", "payee"};
  command.amount = Usd(1250);
  return command;
}

v1::PrepareTransactionRequest PrepareMessage() {
  v1::PrepareTransactionRequest message;
  ToProto(Command(kPrepare), message);
  return message;
}

// ---- Payments ----

TEST(ConvertPayment, GoesRoundInEveryState) {
  for (const auto state : {PaymentState::kInitiated, PaymentState::kCommitting, PaymentState::kCompleted,
                           PaymentState::kAborted, PaymentState::kPartialCommit}) {
    protocol::PaymentRecord payment;
    payment.order = Order(Id(1));
    payment.order.payer = "";  // not part of the message: the caller knows who it is
    payment.state = state;
    payment.reason_code = "AM04";
    payment.message = "no money";
    payment.created_at = WallTime(Duration(1'700'000'000'123'456));
    payment.updated_at = WallTime(Duration(1'700'000'001'000'001));
    v1::Payment message;
    ToProto(payment, message);
    EXPECT_EQ(FromProto(message), payment) << StateName(state);
  }
}

TEST(ConvertPayment, WithoutTheBanksWords_SaysWhatTheReasonCodeMeans) {
  protocol::PaymentRecord payment;
  payment.order = Order(Id(1));
  payment.state = PaymentState::kAborted;
  payment.reason_code = protocol::reason::kInsufficientFunds;
  v1::Payment message;
  ToProto(payment, message);
  EXPECT_EQ(message.message(), protocol::reason::Describe(protocol::reason::kInsufficientFunds));
  EXPECT_FALSE(message.message().empty());
}

TEST(ConvertPayment, FieldThatDoesNotParse_IsNoPayment) {
  protocol::PaymentRecord payment;
  payment.order = Order(Id(1));
  v1::Payment good;
  ToProto(payment, good);
  ASSERT_TRUE(FromProto(good));
  v1::Payment bad = good;
  bad.set_transaction_id("1");
  EXPECT_FALSE(FromProto(bad));
  bad = good;
  bad.mutable_amount()->set_currency("");
  EXPECT_FALSE(FromProto(bad));
  bad = good;
  bad.set_state(v1::PAYMENT_STATE_UNSPECIFIED);
  EXPECT_FALSE(FromProto(bad));
  bad.set_state(static_cast<v1::PaymentState>(99));
  EXPECT_FALSE(FromProto(bad));
  bad = good;
  bad.mutable_updated_at()->set_seconds(-1);
  EXPECT_FALSE(FromProto(bad));
}

// ---- Times ----

TEST(ConvertTime, FirstAndLastOfTheRange_GoRound) {
  for (const std::int64_t us : {std::int64_t{0}, std::int64_t{999'999}, std::int64_t{253'402'300'799'999'999}}) {
    google::protobuf::Timestamp message;
    ToProto(WallTime(Duration(us)), message);
    EXPECT_EQ(FromProto(message), WallTime(Duration(us))) << us;
  }
}

TEST(ConvertTime, OutOfRange_IsNoTime) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  const std::vector<std::pair<std::int64_t, std::int32_t>> bad = {
      {-1, 0}, {kMin, 0}, {kMax, 0}, {253'402'300'800, 0}, {0, -1}, {0, 1'000'000'000}};
  for (const auto& [seconds, nanos] : bad) {
    google::protobuf::Timestamp message;
    message.set_seconds(seconds);
    message.set_nanos(nanos);
    EXPECT_FALSE(FromProto(message)) << seconds << " s " << nanos << " ns";
  }
}

// ---- Commands ----

TEST(ConvertCommand, EveryKind_GoesRoundInABatch) {
  for (const auto kind : {kPrepare, kCommit, kAbort}) {
    v1::ExecuteBatchRequest::Command message;
    ToProto(Command(kind), message);
    EXPECT_EQ(FromProto(message), Command(kind));
  }
}

TEST(ConvertCommand, SingleCalls_AreReadAsTheirKind) {
  v1::ExecuteBatchRequest::Command message;
  ToProto(Command(kCommit), message);
  EXPECT_EQ(FromProto(message.commit()), Command(kCommit));
  ToProto(Command(kAbort), message);
  EXPECT_EQ(FromProto(message.abort()), Command(kAbort));
  EXPECT_EQ(FromProto(PrepareMessage()), Command(kPrepare));
}

TEST(ConvertCommand, WithoutAKind_IsNoCommand) { EXPECT_FALSE(FromProto(v1::ExecuteBatchRequest::Command())); }

TEST(ConvertCommand, BadTransactionId_IsNoCommand) {
  for (const char* id : {"", "1", "00000000-0000-0000-0000-000000000000", "0190163d8694739baea5966c26f8ad91"}) {
    auto message = PrepareMessage();
    message.set_transaction_id(id);
    EXPECT_FALSE(FromProto(message)) << id;
    v1::CommitTransactionRequest commit;
    commit.set_transaction_id(id);
    EXPECT_FALSE(FromProto(commit)) << id;
    v1::AbortTransactionRequest abort;
    abort.set_transaction_id(id);
    EXPECT_FALSE(FromProto(abort)) << id;
  }
}

TEST(ConvertCommand, UnknownOrMissingCurrency_IsAPrepareInNoCurrency) {
  BankCommand expected = Command(kPrepare);
  expected.amount.currency = Currency();
  auto message = PrepareMessage();
  message.mutable_amount()->set_currency("ZZZ");
  EXPECT_EQ(FromProto(message), expected);
  message.clear_amount();
  expected.amount.minor_units = 0;
  EXPECT_EQ(FromProto(message), expected);
}

TEST(ConvertCommand, EpochOrSequenceNoStoreCanHold_IsNoCommand) {
  auto message = PrepareMessage();
  message.set_gateway_epoch(kTooLarge - 1);
  message.set_gateway_sequence(kTooLarge - 1);
  EXPECT_TRUE(FromProto(message));
  message.set_gateway_epoch(kTooLarge);
  EXPECT_FALSE(FromProto(message));
  message.set_gateway_epoch(1);
  message.set_gateway_sequence(std::numeric_limits<std::uint64_t>::max());
  EXPECT_FALSE(FromProto(message));
  v1::CommitTransactionRequest commit;
  commit.set_transaction_id(Id(1).ToString());
  commit.set_gateway_epoch(kTooLarge);
  EXPECT_FALSE(FromProto(commit));
}

TEST(ConvertCommand, GatewayThatNamesNoStore_IsReadWithoutOne) {
  auto message = PrepareMessage();
  message.set_gateway_store_id("none");
  const auto command = FromProto(message);
  ASSERT_TRUE(command);
  EXPECT_TRUE(command->gateway_store_id.IsNil());
}

// ---- Replies ----

TEST(ConvertReply, EveryAnswerABankGives_GoesRound) {
  const std::string stale(protocol::reason::kStaleEpoch);
  const std::string violation(protocol::reason::kProtocolViolation);
  const std::vector<BankReply> replies = {
      {kPrepare, Id(1), kYes, "", ""},         {kPrepare, Id(1), kNo, "AM04", "no money"},
      {kPrepare, Id(1), kStale, stale, "old"}, {kPrepare, Id(1), kViolation, violation, "no"},
      {kCommit, Id(1), kDone, "", ""},         {kCommit, Id(1), kStale, "", "old"},
      {kCommit, Id(1), kViolation, "", "no"},  {kAbort, Id(1), kDone, "", ""},
      {kCommit, Id(1), kMixed, "", "forced"},  {kAbort, Id(1), kMixedAcknowledged, "", "settled"},
      {kAbort, Id(1), kStale, "", "old"},      {kAbort, Id(1), kViolation, "", "no"},
  };
  for (std::size_t row = 0; row < replies.size(); ++row) {
    v1::ExecuteBatchResponse::Result message;
    ToProto(replies[row], message);
    EXPECT_EQ(FromProto(message, Command(replies[row].kind)), replies[row]) << "row " << row;
  }
}

TEST(ConvertReply, AboutAnotherTransaction_IsNoReply) {
  for (const auto kind : {kPrepare, kCommit, kAbort}) {
    v1::ExecuteBatchResponse::Result message;
    ToProto(BankReply{kind, Id(2), kind == kPrepare ? kYes : kDone, "", ""}, message);
    EXPECT_FALSE(FromProto(message, Command(kind)));
  }
  v1::PrepareTransactionResponse unnamed;
  unnamed.set_vote(v1::VOTE_YES);
  EXPECT_FALSE(FromProto(unnamed, Command(kPrepare)));
}

TEST(ConvertReply, OfAnotherKind_IsNoReply) {
  v1::ExecuteBatchResponse::Result message;
  ToProto(BankReply{kAbort, Id(1), kDone, "", ""}, message);
  EXPECT_FALSE(FromProto(message, Command(kCommit)));
  EXPECT_FALSE(FromProto(message, Command(kPrepare)));
  EXPECT_FALSE(FromProto(v1::ExecuteBatchResponse::Result(), Command(kAbort)));
}

TEST(ConvertReply, UnsetOrUnknownVote_IsAViolationAndNeverAYes) {
  v1::PrepareTransactionResponse vote;
  vote.set_transaction_id(Id(1).ToString());
  for (const int value : {0, 3, 99, -1}) {
    vote.set_vote(static_cast<v1::Vote>(value));
    const auto reply = FromProto(vote, Command(kPrepare));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->outcome, kViolation) << value;
  }
}

TEST(ConvertReply, UnsetOrUnknownResult_IsAViolationAndNeverAnAcknowledgement) {
  v1::CommitTransactionResponse response;
  response.set_transaction_id(Id(1).ToString());
  for (const int value : {0, 6, 99, -1}) {
    response.set_result(static_cast<v1::CommandResult>(value));
    const auto reply = FromProto(response, Command(kCommit));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->outcome, kViolation) << value;
  }
}

TEST(ConvertReply, ABanksWords_AreMadePrintableAndShort) {
  v1::PrepareTransactionResponse vote;
  vote.set_transaction_id(Id(1).ToString());
  vote.set_vote(v1::VOTE_NO);
  vote.set_reason_code(std::string(1000, 'R'));
  vote.set_message("\x1b[2Jfake\nlog line" + std::string(10'000, 'm'));
  const auto reply = FromProto(vote, Command(kPrepare));
  ASSERT_TRUE(reply);
  EXPECT_LE(reply->reason_code.size(), limits::kMaxReasonCodeBytes);
  EXPECT_LE(reply->message.size(), limits::kMaxReasonMessageBytes);
  EXPECT_EQ(reply->message.find_first_of("\x1b\n"), std::string::npos);
}

}  // namespace
}  // namespace strife::rpc
