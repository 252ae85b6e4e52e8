#include "rpc/peer_limits.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace strife::rpc {
namespace {

using namespace std::chrono_literals;

class ManualClock final : public Clock {
 public:
  Now Read() override { return now; }
  Now now{MonotonicTime(1h), WallTime(1h)};
};

class PeerLimitsTest : public testing::Test {
 protected:
  void Begin(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(limits_->CallBegan("client/a"));
  }

  ManualClock clock_;
  std::unique_ptr<PeerLimits> limits_ =
      *PeerLimits::Create({.calls_per_second = 2000, .payments_per_second = 3000}, clock_);
};

TEST_F(PeerLimitsTest, CallBegan_BeyondTheLimit_IsRefusedUntilOneArrives) {
  Begin(limits::kMaxUnsentCallsPerCertificate);
  EXPECT_FALSE(limits_->CallBegan("client/a"));
  EXPECT_TRUE(limits_->CallBegan("client/b"));
  limits_->CallArrived("client/a");
  EXPECT_TRUE(limits_->CallBegan("client/a"));
  EXPECT_FALSE(limits_->CallBegan("client/a"));
}

TEST_F(PeerLimitsTest, Call_BeyondTheRate_IsRefusedWithAPushback) {
  for (int i = 0; i < 2000; ++i) ASSERT_FALSE(limits_->Call("client/a", "192.0.2.1:1", 10));
  const auto refused = limits_->Call("client/a", "192.0.2.1:1", 10);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, ApiCode::kResourceExhausted);
  EXPECT_TRUE(refused->retryable);
  EXPECT_GE(*refused->retry_after, 100ms);
  EXPECT_FALSE(limits_->Call("client/b", "192.0.2.1:2", 10));
  clock_.now.monotonic += 1s;
  EXPECT_FALSE(limits_->Call("client/a", "192.0.2.1:1", 10));
}

TEST_F(PeerLimitsTest, Payments_ABatchIsChargedForEachOfItsOwn_AndOneThatIsTooLargeAsTheLargest) {
  EXPECT_FALSE(limits_->Payments("alice", 100'000));
  EXPECT_FALSE(limits_->Payments("alice", limits::kMaxPaymentsPerCall));
  EXPECT_FALSE(limits_->Payments("alice", 3000 - 2 * limits::kMaxPaymentsPerCall));
  EXPECT_TRUE(limits_->Payments("alice", 1));
  EXPECT_FALSE(limits_->Payments("bob", 1));
}

TEST_F(PeerLimitsTest, TooManyHistories_UntilTheirAnswersHaveBeenTaken) {
  for (std::size_t i = 0; i < limits::kMaxHistoriesUnderWayPerCertificate; ++i) limits_->HistoryBegan("client/a");
  EXPECT_FALSE(limits_->TooManyHistories("client/a"));
  limits_->HistoryBegan("client/a");
  EXPECT_TRUE(limits_->TooManyHistories("client/a"));
  EXPECT_FALSE(limits_->TooManyHistories("client/b"));
  limits_->HistoryEnded("client/a");
  EXPECT_FALSE(limits_->TooManyHistories("client/a"));
}

TEST_F(PeerLimitsTest, TakeLimited_SumsUpAndNamesNotAll) {
  for (int i = 0; i < 1000; ++i) limits_->ConnectionLimited("192.0.2.1");
  for (std::size_t i = 0; i < 2 * limits::kMaxLimitedPeers; ++i) limits_->ConnectionLimited(std::to_string(i));
  const auto records = limits_->TakeLimited();
  EXPECT_LE(records.size(), limits::kMaxLimitedPeers + 1);
  std::size_t sum = 0;
  for (const auto& record : records) sum += record.count;
  EXPECT_EQ(sum, 1000 + 2 * limits::kMaxLimitedPeers);
  EXPECT_TRUE(limits_->TakeLimited().empty());
}

}  // namespace
}  // namespace strife::rpc
