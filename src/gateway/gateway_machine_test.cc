#include "gateway/gateway_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/test_support.h"

namespace strife::gateway {
namespace {

using protocol::testing::Id;
using protocol::testing::Order;
using protocol::testing::seconds;

constexpr Now kNow{MonotonicTime(seconds(1000)), WallTime(seconds(1'000'000))};
constexpr std::uint64_t kSequence = 41;  // of the last batch before the restart

protocol::CoordinatorPast Past() {
  protocol::CoordinatorPast past;
  past.store_id = protocol::testing::kStoreId;
  past.epoch = 3;
  past.sequence = kSequence;
  for (const char* bank : {"a", "b"}) past.banks.push_back(protocol::testing::BankNamed(bank));
  return past;
}

GatewayInput Submit(const Uuid& id) { return protocol::CoordinatorInput(protocol::SubmitInput{{1, 0}, Order(id)}); }

security::SessionInput Login() {
  security::SessionOpened input;
  input.reply_to = {2, 0};
  input.session.session_id = Id(50);
  input.session.username = "ann";
  input.session.created_at = kNow.wall;
  input.session.expires_at = kNow.wall + seconds(3600);
  input.refresh_token.token_hash.fill(7);
  input.refresh_token.session_id = Id(50);
  input.refresh_token.expires_at = input.session.expires_at;
  return input;
}

class GatewayMachineTest : public ::testing::Test {
 protected:
  void SetUp() override { machine_.Recover(kNow, Past()); }
  GatewayMachine machine_{protocol::CoordinatorOptions{}};
};

TEST_F(GatewayMachineTest, LoginAndPaymentInOneBatch_AreOneSetOfRecordsWithOneSequence) {
  const auto effects = machine_.Step(kNow, {Login(), Submit(Id(1))}, {});
  EXPECT_EQ(effects.records.sessions.size(), 1u);
  EXPECT_EQ(effects.records.refresh_tokens.size(), 1u);
  ASSERT_EQ(effects.records.payments.size(), 1u);
  EXPECT_EQ(effects.records.payments[0].order, Order(Id(1)));
  EXPECT_EQ(effects.records.sequence, kSequence + 1);
  ASSERT_EQ(effects.protocol.commands.size(), 2u);
  EXPECT_EQ(effects.protocol.commands[0].command.gateway_sequence, effects.records.sequence)
      << "banks must be told no progress that is not durable with this batch";
  ASSERT_EQ(effects.sessions.size(), 1u);
  EXPECT_EQ(effects.sessions[0].reply_to, (protocol::ReplyTo{2, 0}));
}

TEST_F(GatewayMachineTest, RecordsAreMovedOutOfTheProtocolsEffects) {
  const auto effects = machine_.Step(kNow, {Submit(Id(1))}, {});
  EXPECT_TRUE(effects.protocol.payments.empty());
  EXPECT_TRUE(effects.protocol.banks.empty());
}

TEST_F(GatewayMachineTest, SequenceNeverGoesBack_WhateverTheBatchHolds) {
  std::uint64_t last = kSequence;
  std::vector<std::vector<GatewayInput>> batches;
  batches.push_back({Login()});
  batches.push_back({Submit(Id(1))});
  batches.push_back({});
  batches.push_back({Submit(Id(2)), security::SessionInput(security::SessionRevoked{{3, 0}, Id(50)})});
  for (auto& batch : batches) {
    const auto effects = machine_.Step(kNow, std::move(batch), {});
    EXPECT_GE(effects.records.sequence, last);
    if (!effects.records.payments.empty()) {
      EXPECT_EQ(effects.records.sequence, last + 1);
    }
    last = effects.records.sequence;
  }
}

TEST_F(GatewayMachineTest, BankThatRegistersDifferently_IsAudited_OneThatSaysTheSameIsNot) {
  const auto registers = [](const char* endpoint) {
    protocol::RegisterInput input;
    input.reply_to = {4, 0};
    input.bank = protocol::testing::BankNamed("a");
    input.bank.endpoint = endpoint;
    return protocol::CoordinatorInput(input);
  };
  const auto changed = machine_.Step(kNow, {registers("elsewhere:1")}, {});
  ASSERT_EQ(changed.records.audit.size(), 1u);
  EXPECT_EQ(changed.records.audit[0].event, protocol::AuditEvent::kBankRegistered);
  EXPECT_EQ(changed.records.audit[0].subject, "bank/a");
  EXPECT_EQ(changed.records.audit[0].detail, "endpoint=elsewhere:1");
  EXPECT_TRUE(machine_.Step(kNow, {registers("elsewhere:1")}, {}).records.audit.empty());
}

TEST_F(GatewayMachineTest, Suspension_IsARecordAndAnsweredWithIt) {
  SuspensionRecord record;
  record.name = "a";
  record.by = "olga";
  const auto effects = machine_.Step(kNow, {SuspensionInput{{5, 0}, record}}, {});
  ASSERT_EQ(effects.records.suspensions.size(), 1u);
  EXPECT_EQ(effects.records.suspensions[0].at, kNow.wall);
  EXPECT_FALSE(effects.records.empty());
  ASSERT_EQ(effects.audit_answers.size(), 1u);
  EXPECT_EQ(effects.audit_answers[0], (protocol::ReplyTo{5, 0}));
}

TEST_F(GatewayMachineTest, CollectKeys_AsksForPaymentsAndTokens) {
  security::RefreshPresented refresh;
  refresh.token_hash.fill(7);
  GatewayKeys keys;
  machine_.CollectKeys(Submit(Id(1)), keys);
  machine_.CollectKeys(security::SessionInput(refresh), keys);
  machine_.CollectKeys(security::SessionInput(security::SessionRevoked{{3, 0}, Id(50)}), keys);
  EXPECT_THAT(keys.payments, ::testing::ElementsAre(Id(1)));
  EXPECT_THAT(keys.refresh_tokens, ::testing::ElementsAre(refresh.token_hash));
  EXPECT_THAT(keys.sessions, ::testing::ElementsAre(Id(50)));
}

TEST(GatewayMachineRecovery, OpenPayments_BecomeRecordsAndTheCommandsThatFollowThem) {
  protocol::CoordinatorPast past = Past();
  protocol::PaymentRecord undecided;
  undecided.order = Order(Id(1));
  undecided.epoch = 2;
  protocol::PaymentRecord decided = undecided;
  decided.order.id = Id(2);
  decided.state = protocol::PaymentState::kCommitting;
  past.open_payments = {undecided, decided};

  GatewayMachine machine(protocol::CoordinatorOptions{});
  const auto effects = machine.Recover(kNow, std::move(past));
  const auto aborted = std::ranges::find(effects.records.payments, Id(1), [](const auto& p) { return p.order.id; });
  ASSERT_NE(aborted, effects.records.payments.end());
  EXPECT_EQ(aborted->state, protocol::PaymentState::kAborted);
  EXPECT_EQ(effects.records.sequence, kSequence + 1);
  int aborts = 0;
  int commits = 0;
  for (const auto& [bank, command] : effects.protocol.commands) {
    EXPECT_EQ(command.epoch, 3u);
    aborts += command.kind == protocol::CommandKind::kAbort && command.id == Id(1);
    commits += command.kind == protocol::CommandKind::kCommit && command.id == Id(2);
  }
  EXPECT_EQ(aborts, 2);
  EXPECT_EQ(commits, 2);
  EXPECT_TRUE(machine.NextDeadline()) << "what is not acknowledged must be delivered again";
}

TEST_F(GatewayMachineTest, BankThatIsResumed_IsAheadNoMoreAndTheStoreHasComeSoFar) {
  const auto pays = [this](const Uuid& id) {
    return machine_.Step(kNow, {Submit(id)}, {}).records.payments.size() == 1;
  };
  protocol::RegisterInput ahead{
      {3, 0}, protocol::testing::BankNamed("a"), protocol::testing::kStoreId, kSequence + 100};
  const auto noticed = machine_.Step(kNow, {protocol::CoordinatorInput(ahead)}, {});
  ASSERT_EQ(noticed.records.banks.size(), 1u);
  EXPECT_EQ(noticed.records.banks[0].ahead, kSequence + 100);
  EXPECT_FALSE(pays(Id(1)));
  SuspensionRecord user{SuspendedKind::kUser, "a", false, "olga", "", kNow.wall};
  machine_.Step(kNow, {SuspensionInput{{4, 0}, user}}, {});
  EXPECT_FALSE(pays(Id(1))) << "a user of that name is somebody else";
  SuspensionRecord bank{SuspendedKind::kBank, "a", false, "olga", "compared", kNow.wall};
  const auto resumed = machine_.Step(kNow, {SuspensionInput{{5, 0}, bank}}, {});
  ASSERT_EQ(resumed.records.banks.size(), 1u);
  EXPECT_EQ(resumed.records.banks[0].ahead, 0u);
  EXPECT_GT(resumed.records.sequence, kSequence + 100) << "or the bank would be ahead again";
  EXPECT_TRUE(pays(Id(1)));
}

}  // namespace
}  // namespace strife::gateway
