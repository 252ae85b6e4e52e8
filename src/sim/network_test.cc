#include "sim/network.h"

#include <gtest/gtest.h>

namespace strife::sim {
namespace {

class NetworkTest : public ::testing::Test {
 protected:
  Network Make() { return Network(world_, faults_, 3); }
  void Run() {
    world_.RunUntil(std::chrono::hours(1), [] { return false; });
  }

  World world_{1};
  Scenario::Network faults_;
};

TEST_F(NetworkTest, Message_ArrivesOnceAfterItsLatency) {
  faults_.latency_least = milliseconds(5);
  faults_.latency_most = milliseconds(7);
  Network network = Make();
  Duration arrived{};
  int copies = 0;
  EXPECT_EQ(network.Send(0, 1, [&] { arrived = world_.now(), ++copies; }), SendResult::kOnItsWay);
  Run();
  EXPECT_EQ(copies, 1);
  EXPECT_GE(arrived, milliseconds(5));
  EXPECT_LE(arrived, milliseconds(7));
}

TEST_F(NetworkTest, LossAndDuplication_AreAsOftenAsTheScenarioSays) {
  faults_.lose = 200;
  faults_.duplicate = 100;
  Network network = Make();
  int arrived = 0;
  for (int i = 0; i < 10'000; ++i) network.Send(0, 1, [&] { ++arrived; });
  Run();
  EXPECT_NEAR(static_cast<double>(network.counts().lost), 2000, 200);
  EXPECT_NEAR(static_cast<double>(network.counts().duplicated), 800, 120);
  EXPECT_EQ(arrived, 10'000 - static_cast<int>(network.counts().lost) + static_cast<int>(network.counts().duplicated));
}

TEST_F(NetworkTest, DelayedMessage_IsOvertaken) {
  faults_.delay = 500;
  faults_.delay_most = seconds(10);
  Network network = Make();
  std::vector<int> order;
  for (int i = 0; i < 20; ++i) network.Send(0, 1, [&order, i] { order.push_back(i); });
  Run();
  ASSERT_EQ(order.size(), 20u);
  EXPECT_FALSE(std::ranges::is_sorted(order));
}

TEST_F(NetworkTest, OneWayCut_LosesOnlyThatDirectionUntilHealed) {
  Network network = Make();
  int forth = 0, back = 0, elsewhere = 0;
  const auto send = [&] {
    network.Send(0, 1, [&] { ++forth; });
    network.Send(1, 0, [&] { ++back; });
    network.Send(0, 2, [&] { ++elsewhere; });
  };
  network.Cut(0, 1);
  network.Cut(0, 1);
  send();
  network.Heal(0, 1);
  send();  // cut twice
  network.Heal(0, 1);
  send();
  Run();
  EXPECT_EQ(forth, 1);
  EXPECT_EQ(back, 3);
  EXPECT_EQ(elsewhere, 3);
  EXPECT_EQ(network.counts().cut_off, 2u);
}

TEST_F(NetworkTest, AfterTheFaults_EverythingArrivesOnce) {
  faults_.lose = 1000;
  Network network = Make();
  network.Cut(0, 1);
  network.StopFaults();
  int arrived = 0;
  for (int i = 0; i < 10; ++i) network.Send(0, 1, [&] { ++arrived; });
  Run();
  EXPECT_EQ(arrived, 10);
}

}  // namespace
}  // namespace strife::sim
