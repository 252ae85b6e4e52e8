#include "gateway/login_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

#include "base/limits.h"

namespace strife::gateway {
namespace {

TEST(LoginQueue, OneCertificate_HasABoundedNumberOfPlaces_AndOthersStillGetIn) {
  LoginQueue queue;
  std::vector<LoginQueue::Place> places;
  const auto next = [&] { return queue.Enter("flood", "user" + std::to_string(places.size())); };
  while (auto place = next()) places.push_back(*std::move(place));
  EXPECT_EQ(places.size(), limits::kMaxLoginsUnderWayPerCertificate);
  EXPECT_TRUE(queue.Enter("guest", "ann"));
  places.pop_back();
  EXPECT_TRUE(next()) << "a place that was left is free again";
}

// Otherwise somebody's own logins at the same time would lock her out: each counts as a failure until it has ended.
TEST(LoginQueue, OneUserAtACertificate_HasFewerPlacesThanFailures) {
  LoginQueue queue;
  std::vector<LoginQueue::Place> places;
  while (auto place = queue.Enter("laptop", "ann")) places.push_back(*std::move(place));
  EXPECT_EQ(places.size(), limits::kMaxLoginsUnderWayPerDevice);
  EXPECT_LT(places.size(), static_cast<std::size_t>(limits::kMaxDeviceLoginFailures));
  EXPECT_TRUE(queue.Enter("laptop", "bob"));
  EXPECT_TRUE(queue.Enter("tablet", "ann"));
}

TEST(LoginQueue, ManyCertificates_AreBoundedTogether) {
  LoginQueue queue;
  std::vector<LoginQueue::Place> places;
  for (int i = 0; i < 1000; ++i) {
    while (auto place = queue.Enter("flood" + std::to_string(i), "user" + std::to_string(places.size()))) {
      places.push_back(*std::move(place));
    }
  }
  EXPECT_EQ(places.size(), limits::kMaxLoginsUnderWay);
}

TEST(LoginQueue, Tasks_RunInTurnOfTheirCertificates) {
  LoginQueue queue;
  std::promise<void> gate;
  std::vector<std::string> order;  // by the one hash thread
  ASSERT_TRUE(queue.Hash("gate", [&] { gate.get_future().wait(); }));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(queue.Hash("flood", [&] { order.emplace_back("flood"); }));
  ASSERT_TRUE(queue.Hash("guest", [&] { order.emplace_back("guest"); }));
  gate.set_value();
  queue.Stop();
  ASSERT_EQ(order.size(), 21u);
  EXPECT_EQ(order[1], "guest");
}

TEST(LoginQueue, AStoppedQueue_TakesNothing) {
  LoginQueue queue;
  queue.Stop();
  EXPECT_FALSE(queue.Hash("late", [] {}));
}

}  // namespace
}  // namespace strife::gateway
