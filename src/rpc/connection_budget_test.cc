#include "rpc/connection_budget.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace strife::rpc {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kNow{1h};

std::string AddressOf(std::size_t number) { return "192.0.2." + std::to_string(number); }

class ConnectionBudgetTest : public testing::Test {
 protected:
  // Connections that are no longer new, slowly enough for every rate.
  void Settled(std::size_t count, const std::string& address) {
    for (std::size_t i = 0; i < count; ++i) {
      now_ += 1s;
      ASSERT_EQ(budget_.Arrive(address, now_), std::nullopt);
      budget_.Settle(address);
    }
  }

  ConnectionBudget budget_{limits::kMaxConnections};
  MonotonicTime now_ = kNow;
};

TEST_F(ConnectionBudgetTest, Arrive_BeyondTheCapacity_IsRefusedUntilOneLeaves) {
  ConnectionBudget budget(2);
  EXPECT_EQ(budget.Arrive("a", kNow), std::nullopt);
  EXPECT_EQ(budget.Arrive("b", kNow), std::nullopt);
  EXPECT_EQ(budget.Arrive("c", kNow), ConnectionRefusal::kServerFull);
  budget.Leave("a", true, 0, kNow);
  EXPECT_EQ(budget.Arrive("c", kNow), std::nullopt);
  EXPECT_EQ(budget.connections(), 2U);
}

TEST_F(ConnectionBudgetTest, Arrive_BeyondAnAddressesShare_LeavesRoomForOthers) {
  Settled(limits::kMaxConnectionsPerAddress, "a");
  EXPECT_EQ(budget_.Arrive("a", now_), ConnectionRefusal::kAddressFull);
  EXPECT_EQ(budget_.Arrive("b", now_), std::nullopt);
  budget_.Leave("a", false, 0, now_);
  EXPECT_EQ(budget_.Arrive("a", now_), std::nullopt);
}

TEST_F(ConnectionBudgetTest, Arrive_TooManyNewOfAnAddress_IsRefusedUntilOneIsSettled) {
  for (std::size_t i = 0; i < limits::kMaxNewConnectionsPerAddress; ++i) {
    now_ += 1s;
    ASSERT_EQ(budget_.Arrive("a", now_), std::nullopt);
  }
  EXPECT_EQ(budget_.Arrive("a", now_ + 1s), ConnectionRefusal::kAddressNew);
  EXPECT_EQ(budget_.Arrive("b", now_ + 1s), std::nullopt);
  budget_.Settle("a");
  EXPECT_EQ(budget_.Arrive("a", now_ + 1s), std::nullopt);
}

TEST_F(ConnectionBudgetTest, Arrive_TooManyNewAltogether_IsRefused) {
  for (std::size_t i = 0; i < limits::kMaxNewConnections; ++i) {
    ASSERT_EQ(budget_.Arrive(AddressOf(i), kNow), std::nullopt);
  }
  EXPECT_EQ(budget_.Arrive("a", kNow), ConnectionRefusal::kServerNew);
  budget_.Leave(AddressOf(0), true, 0, kNow);
  EXPECT_EQ(budget_.Arrive("a", kNow), std::nullopt);
}

TEST_F(ConnectionBudgetTest, Arrive_FasterThanTheRate_IsRefusedToThatAddress) {
  for (std::size_t i = 0; i < limits::kMaxConnectionBurstPerAddress; ++i) {
    ASSERT_EQ(budget_.Arrive("a", kNow), std::nullopt);
    budget_.Leave("a", true, 0, kNow);
  }
  EXPECT_EQ(budget_.Arrive("a", kNow), ConnectionRefusal::kTooFast);
  EXPECT_EQ(budget_.Arrive("b", kNow), std::nullopt);
  EXPECT_EQ(budget_.Arrive("a", kNow + 1s), std::nullopt);
}

TEST_F(ConnectionBudgetTest, SentTooMuch_CountsWhatConnectionsThatAreGoneHaveSent) {
  Settled(2, "a");
  EXPECT_FALSE(budget_.SentTooMuch("a", limits::kMaxUnexplainedBytes, now_));
  EXPECT_TRUE(budget_.SentTooMuch("a", limits::kMaxUnexplainedBytes + 1, now_));
  budget_.Leave("a", false, limits::kMaxUnexplainedBytes / 2, now_);
  EXPECT_TRUE(budget_.SentTooMuch("a", limits::kMaxUnexplainedBytes / 2 + 1, now_));
  EXPECT_FALSE(budget_.SentTooMuch("a", limits::kMaxUnexplainedBytes / 2, now_));
}

TEST_F(ConnectionBudgetTest, SentTooMuch_IsForgivenWithTime) {
  Settled(2, "a");
  budget_.Leave("a", false, 2 * limits::kMaxUnexplainedBytes, now_);
  EXPECT_TRUE(budget_.SentTooMuch("a", 1, now_));
  EXPECT_FALSE(budget_.SentTooMuch("a", limits::kMaxUnexplainedBytesPerSecond, now_ + 1s));
  EXPECT_TRUE(budget_.SentTooMuch("a", limits::kMaxUnexplainedBytesPerSecond + 1, now_ + 1s));
}

TEST_F(ConnectionBudgetTest, Addresses_AreForgottenWhenTheyAreTooMany_ButNotThoseThatAreConnected) {
  Settled(limits::kMaxConnectionsPerAddress, "a");
  for (std::size_t i = 0; i < 2 * limits::kMaxRatedPeers; ++i) {
    ASSERT_EQ(budget_.Arrive(AddressOf(i), now_), std::nullopt);
    budget_.Leave(AddressOf(i), true, 1, now_);
  }
  EXPECT_LE(budget_.addresses(), limits::kMaxRatedPeers);
  EXPECT_EQ(budget_.Arrive("a", now_), ConnectionRefusal::kAddressFull);
}

}  // namespace
}  // namespace strife::rpc
