#include "runtime/inbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "runtime/worker_pool.h"

namespace strife::runtime {
namespace {

using Item = std::unique_ptr<int>;

Item Make(int value) { return std::make_unique<int>(value); }

TEST(Inbox, Push_WhenFullLeavesTheItemWithTheCaller) {
  Inbox<Item> inbox(1);
  Item first = Make(1), second = Make(2);
  EXPECT_TRUE(inbox.Push(first));
  EXPECT_FALSE(inbox.Push(second));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, 2);
  EXPECT_TRUE(inbox.PushAlways(Make(3))) << "what must not be lost is taken all the same";
  EXPECT_EQ(inbox.size(), 2u);
}

TEST(Inbox, Drain_TakesInOrderAtMostWhatItIsAskedFor) {
  Inbox<int> inbox(10);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(inbox.PushAlways(i));
  EXPECT_EQ(inbox.Drain(3, std::nullopt), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(inbox.Drain(3, std::nullopt), (std::vector<int>{3, 4}));
}

TEST(Inbox, NewWork_IsTakenAfterTheRestInTurnsAndOnlyAsMuchAsIsAskedFor) {
  Inbox<int> inbox(10);
  for (int item : {1, 2, 3}) EXPECT_TRUE(inbox.PushInTurn("greedy", item));
  for (int item : {4, 5}) EXPECT_TRUE(inbox.PushInTurn("guest", item));
  EXPECT_TRUE(inbox.PushAlways(6));
  EXPECT_EQ(inbox.Drain(10, std::nullopt, 3), (std::vector<int>{6, 1, 4, 2}));
  EXPECT_EQ(inbox.size(), 2u);
  EXPECT_TRUE(inbox.PushAlways(7));
  EXPECT_EQ(inbox.Drain(10, std::nullopt, 0), std::vector<int>{7}) << "what has begun goes on";
  EXPECT_TRUE(inbox.Drain(10, MonotonicTime{}, 0).empty()) << "nothing that may be taken";
  EXPECT_EQ(inbox.Drain(10, std::nullopt), (std::vector<int>{5, 3}));
}

TEST(Inbox, NewWork_CountsTowardsTheCapacityAndIsTakenWhenClosed) {
  Inbox<int> inbox(1);
  int first = 1, second = 2;
  EXPECT_TRUE(inbox.PushInTurn("a", first));
  EXPECT_FALSE(inbox.PushInTurn("b", second));
  EXPECT_FALSE(inbox.Push(second));
  inbox.Close();
  EXPECT_FALSE(inbox.PushInTurn("b", second));
  EXPECT_EQ(inbox.Drain(10, std::nullopt, 0), std::vector<int>{1});
}

TEST(Inbox, NewWork_WakesWhoMayTakeIt) {
  Inbox<int> inbox(10);
  std::thread waiting([&] { EXPECT_EQ(inbox.Drain(10, std::nullopt, 1), std::vector<int>{1}); });
  int item = 1;
  EXPECT_TRUE(inbox.PushInTurn("a", item));
  waiting.join();
}

TEST(Inbox, Drain_ReturnsEmptyWhenTheDeadlineHasPassed) {
  Inbox<int> inbox(10);
  EXPECT_TRUE(inbox.Drain(3, MonotonicTime{}).empty());
}

TEST(Inbox, Close_RefusesNewItemsAndKeepsTheOldOnes) {
  Inbox<int> inbox(10);
  EXPECT_TRUE(inbox.PushAlways(1));
  inbox.Close();
  int item = 2;
  EXPECT_FALSE(inbox.Push(item));
  EXPECT_FALSE(inbox.PushAlways(3));
  EXPECT_TRUE(inbox.closed());
  EXPECT_EQ(inbox.Drain(10, std::nullopt), std::vector<int>{1});
  EXPECT_TRUE(inbox.Drain(10, std::nullopt).empty());
}

TEST(Inbox, Close_WakesWhoeverWaits) {
  Inbox<int> inbox(10);
  std::thread waiting([&] { EXPECT_TRUE(inbox.Drain(1, std::nullopt).empty()); });
  inbox.Close();
  waiting.join();
}

constexpr Duration kForever = std::chrono::hours(1);

// Whether the drain is early enough to have to wait is up to the scheduler: often enough of two hundred times.
TEST(Gathering, Drain_WaitsForWhatIsExpected) {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> expected = 2;
    Inbox<int> inbox(10, {.expected = &expected, .enough = 100, .patience = kForever});
    EXPECT_TRUE(inbox.PushAlways(1));
    std::vector<int> taken;
    std::thread draining([&] { taken = inbox.Drain(10, std::nullopt); });
    std::this_thread::yield();
    for (int item = 2; item <= 3; ++item) {
      --expected;
      EXPECT_TRUE(inbox.PushAlways(item));
    }
    draining.join();
    ASSERT_EQ(taken, (std::vector{1, 2, 3}));
  }
}

TEST(Gathering, Drain_WaitsForNobodyWhenThereIsEnoughOrNothingIsExpected) {
  std::atomic<int> expected = 1;
  Inbox<int> inbox(10, {.expected = &expected, .enough = 2, .patience = kForever});
  EXPECT_TRUE(inbox.PushAlways(1));
  EXPECT_TRUE(inbox.PushAlways(2));
  EXPECT_EQ(inbox.Drain(10, std::nullopt).size(), 2u);
  expected = 0;
  EXPECT_TRUE(inbox.PushAlways(3));
  EXPECT_EQ(inbox.Drain(10, std::nullopt).size(), 1u);
}

TEST(Gathering, Drain_CountsAnItemForWhatItIsWorth) {
  std::atomic<int> expected{1};
  Inbox<int> inbox(10, {.expected = &expected, .enough = 3, .patience = kForever});
  ASSERT_TRUE(inbox.PushAlways(7, 3));
  EXPECT_EQ(inbox.Drain(10, std::nullopt), std::vector<int>{7});
}

TEST(Gathering, Drain_GivesUpWhenItsPatienceIsOver) {
  std::atomic<int> expected = 1;
  Inbox<int> inbox(10, {.expected = &expected, .enough = 100, .patience = std::chrono::milliseconds(1)});
  for (int item = 1; item <= 3; ++item) {
    EXPECT_TRUE(inbox.PushAlways(item));
    EXPECT_EQ(inbox.Drain(10, std::nullopt), std::vector{item});
  }
}

TEST(Gathering, Close_EndsTheWaiting) {
  std::atomic<int> expected = 1;
  Inbox<int> inbox(10, {.expected = &expected, .enough = 100, .patience = kForever});
  EXPECT_TRUE(inbox.PushAlways(1));
  std::thread draining([&] { EXPECT_EQ(inbox.Drain(10, std::nullopt).size(), 1u); });
  inbox.Close();
  draining.join();
}

// As when an engine drains at its deadline, somebody pushes, and the engine is stopped.
TEST(Inbox, PushedAfterADrainThatFoundNothingAndBeforeClosing_HasNotEnded) {
  Inbox<int> inbox(10);
  EXPECT_TRUE(inbox.Drain(10, MonotonicTime()).empty());
  ASSERT_TRUE(inbox.PushAlways(1));
  int item = 2;
  ASSERT_TRUE(inbox.PushInTurn("a", item));
  EXPECT_FALSE(inbox.ended());
  inbox.Close();
  EXPECT_TRUE(inbox.closed());
  EXPECT_FALSE(inbox.ended());
  EXPECT_EQ(inbox.Drain(10, MonotonicTime(), 0), (std::vector<int>{1, 2}));
  EXPECT_TRUE(inbox.ended());
}

TEST(Inbox, ManyThreads_EveryItemArrivesOnce) {
  constexpr int kPerThread = 20'000;
  Inbox<int> inbox(64);
  std::atomic<std::int64_t> sum{0}, taken{0};
  std::vector<std::thread> producers, consumers;
  for (int t = 0; t < 2; ++t) {
    consumers.emplace_back([&] {
      for (;;) {
        const std::vector<int> items = inbox.Drain(7, std::nullopt);
        if (items.empty()) return;
        for (const int item : items) sum += item;
        taken += static_cast<std::int64_t>(items.size());
      }
    });
    producers.emplace_back([&] {
      for (int i = 1; i <= kPerThread; ++i) {
        int item = i;
        while (!inbox.Push(item)) std::this_thread::yield();
      }
    });
  }
  for (std::thread& producer : producers) producer.join();
  inbox.Close();
  for (std::thread& consumer : consumers) consumer.join();
  EXPECT_EQ(taken, 2 * kPerThread);
  EXPECT_EQ(sum, std::int64_t{kPerThread} * (kPerThread + 1));
}

TEST(WorkerPool, Stop_FinishesWhatWasAcceptedAndRefusesTheRest) {
  std::atomic<int> done{0};
  WorkerPool pool(2, 100);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(pool.Submit([&] { ++done; }));
  pool.Stop();
  EXPECT_EQ(done, 100);
  EXPECT_FALSE(pool.Submit([&] { ++done; }));
}

}  // namespace
}  // namespace strife::runtime
