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
  while (auto place = queue.Enter("flood")) places.push_back(*std::move(place));
  EXPECT_EQ(places.size(), limits::kMaxLoginsUnderWayPerCertificate);
  EXPECT_TRUE(queue.Enter("guest"));
  places.pop_back();
  EXPECT_TRUE(queue.Enter("flood")) << "a place that was left is free again";
}

TEST(LoginQueue, ManyCertificates_AreBoundedTogether) {
  LoginQueue queue;
  std::vector<LoginQueue::Place> places;
  for (int i = 0; i < 1000; ++i) {
    while (auto place = queue.Enter("flood" + std::to_string(i))) places.push_back(*std::move(place));
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
