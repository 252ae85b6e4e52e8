#include "rpc/admin_convert.h"

#include <gtest/gtest.h>

namespace strife::rpc {
namespace {

using protocol::HeuristicRecord;
using protocol::HeuristicState;

Uuid Id(std::uint8_t n) {
  Uuid id;
  id.bytes[15] = n;
  return id;
}

WallTime At(int seconds) { return WallTime(std::chrono::seconds(seconds)); }

HeuristicRecord Mixed() {
  return {Id(1), HeuristicState::kMixed, protocol::Decision::kCommit, "alice", At(1), "bob", At(2), At(3), "", {}};
}

protocol::BankTransactionRecord Transaction() {
  protocol::BankTransactionRecord transaction;
  transaction.id = Id(1);
  transaction.debit_account = "A-1";
  transaction.amount = {700, *Currency::Parse("USD")};
  transaction.created_at = At(5);
  return transaction;
}

TEST(AdminConvert, Heuristic_GoesRoundInEveryState) {
  for (const auto state : {HeuristicState::kProposed, HeuristicState::kForced, HeuristicState::kAgreed,
                           HeuristicState::kMixed, HeuristicState::kAcknowledged}) {
    HeuristicRecord record = Mixed();
    record.state = state;
    v1::Heuristic message;
    ToProto(record, message);
    EXPECT_EQ(FromProto(message), record);
  }
}

TEST(AdminConvert, HeuristicThatDoesNotParse_IsNone) {
  v1::Heuristic good;
  ToProto(Mixed(), good);
  v1::Heuristic bad = good;
  bad.set_transaction_id("7");
  EXPECT_FALSE(FromProto(bad));
  bad = good;
  bad.set_state(static_cast<v1::HeuristicState>(9));
  EXPECT_FALSE(FromProto(bad));
  bad = good;
  bad.set_decision(v1::DECISION_PENDING);
  EXPECT_FALSE(FromProto(bad));
}

TEST(AdminConvert, BanksList_GoesRound) {
  protocol::InDoubtAnswer answer;
  answer.transactions = {{Transaction(), std::nullopt, 3}, {Transaction(), Mixed(), 0}};
  answer.mixed = {Mixed()};
  answer.total = 12;
  v1::ListInDoubtTransactionsResponse message;
  ToProto(answer, message);
  const auto read = FromProto(message);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->transactions.size(), 2u);
  EXPECT_EQ(read->transactions[0].transaction, Transaction());
  EXPECT_EQ(read->transactions[0].inquiries, 3u);
  EXPECT_EQ(read->transactions[0].heuristic, std::nullopt);
  EXPECT_EQ(read->transactions[1].heuristic, Mixed());
  EXPECT_EQ(read->mixed, answer.mixed);
  EXPECT_EQ(read->total, 12u);
}

TEST(AdminConvert, GatewaysList_GoesRound) {
  protocol::ListOpenAnswer answer;
  protocol::PaymentRecord record;
  record.order = {Id(2), "", {"bank1", "a"}, {"bank2", "b"}, {5, *Currency::Parse("USD")}, "rent"};
  record.state = protocol::PaymentState::kPartialCommit;
  answer.payments = {{record, {{"bank1", true, false, 0}, {"bank2", false, true, 7}}}};
  answer.total = 1;
  v1::ListInDoubtPaymentsResponse message;
  ToProto(answer, message);
  const auto read = FromProto(message);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->payments.size(), 1u);
  EXPECT_EQ(read->payments[0].record, record);
  ASSERT_EQ(read->payments[0].banks.size(), 2u);
  EXPECT_TRUE(read->payments[0].banks[0].answered);
  EXPECT_EQ(read->payments[0].banks[1].bank_id, "bank2");
  EXPECT_TRUE(read->payments[0].banks[1].unreachable);
  EXPECT_EQ(read->payments[0].banks[1].attempts, 7u);
}

}  // namespace
}  // namespace strife::rpc
