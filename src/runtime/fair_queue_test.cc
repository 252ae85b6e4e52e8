#include "runtime/fair_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace strife::runtime {
namespace {

std::vector<int> All(FairQueue<int>& queue) {
  std::vector<int> items;
  while (auto item = queue.Pop()) items.push_back(*item);
  return items;
}

TEST(FairQueue, OneOwnersItems_KeepTheirOrder) {
  FairQueue<int> queue;
  for (int i = 0; i < 4; ++i) queue.Push("a", i);
  EXPECT_EQ(All(queue), (std::vector{0, 1, 2, 3}));
}

TEST(FairQueue, ALateComer_WaitsForOneItemOfEachOther) {
  FairQueue<int> queue;
  for (int i = 0; i < 100; ++i) queue.Push("flood", i);
  for (int i = 100; i < 200; ++i) queue.Push("another flood", i);
  queue.Push("guest", -1);
  queue.Push("guest", -2);
  const auto items = All(queue);
  EXPECT_EQ((std::vector(items.begin(), items.begin() + 6)), (std::vector{0, 100, -1, 1, 101, -2}));
  EXPECT_EQ(items.size(), 202u);
}

TEST(FairQueue, AnOwnerThatComesBack_QueuesBehindTheOthers) {
  FairQueue<int> queue;
  queue.Push("a", 1);
  queue.Push("b", 2);
  EXPECT_EQ(queue.Pop(), 1);
  queue.Push("a", 3);
  EXPECT_EQ(All(queue), (std::vector{2, 3}));
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

}  // namespace
}  // namespace strife::runtime
