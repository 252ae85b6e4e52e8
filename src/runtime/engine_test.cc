#include "runtime/engine.h"

#include <gtest/gtest.h>

#include <string>

#include "runtime/engine_thread.h"

namespace strife::runtime {
namespace {

// A machine that adds numbers to a total it keeps in the store, and answers with the total.
struct Adder {
  struct Records {
    std::optional<int> total;
    bool empty() const { return !total; }
  };
  struct Effects {
    Records records;
    std::vector<int> answers;
  };
  using Input = int;
  using Keys = int;  // how many inputs want the total
  using Rows = int;  // the total

  void CollectKeys(const Input&, Keys& keys) const { ++keys; }
  Effects Step(const Now&, const std::vector<Input>& inputs, Rows total) const {
    Effects effects;
    for (const int input : inputs) effects.answers.push_back(total += input);
    if (!inputs.empty()) effects.records.total = total;
    return effects;
  }
  std::optional<MonotonicTime> NextDeadline() const { return std::nullopt; }
};

struct Store {
  Result<int> Load(int) {
    journal += "load ";
    if (fail_load) return Fail(ErrorCode::kStorage, "cannot read");
    return total;
  }
  Status Commit(const Adder::Records& records) {
    journal += "commit ";
    if (fail_commit) return Fail(ErrorCode::kStorage, "cannot write");
    total = *records.total;
    return {};
  }
  int total = 0;
  bool fail_load = false;
  bool fail_commit = false;
  std::string journal;
};

TEST(Engine, Cycle_CommitsOnceForTheBatchBeforeItsEffectsComeOut) {
  Adder machine;
  Store store;
  Engine<Adder, Store> engine(machine, store);
  const auto effects = engine.Cycle(Now{}, {1, 2, 3});
  ASSERT_TRUE(effects);
  EXPECT_EQ(effects->answers, (std::vector<int>{1, 3, 6}));
  EXPECT_EQ(store.journal, "load commit ");
  EXPECT_EQ(store.total, 6);
}

TEST(Engine, Cycle_WithoutRecordsDoesNotTouchTheDisk) {
  Adder machine;
  Store store;
  Engine<Adder, Store> engine(machine, store);
  EXPECT_TRUE(engine.Cycle(Now{}, {}));
  EXPECT_EQ(store.journal, "load ");
}

TEST(Engine, ErrorInCommit_NothingComesOut) {
  Adder machine;
  Store store;
  store.fail_commit = true;
  Engine<Adder, Store> engine(machine, store);
  const auto effects = engine.Cycle(Now{}, {1});
  ASSERT_FALSE(effects);
  EXPECT_EQ(effects.error().message, "cannot write");
  EXPECT_FALSE(engine.CommitFirst({{5}, {5}}));
}

TEST(Engine, ErrorInLoad_NothingIsCommitted) {
  Adder machine;
  Store store;
  store.fail_load = true;
  Engine<Adder, Store> engine(machine, store);
  EXPECT_FALSE(engine.Cycle(Now{}, {1}));
  EXPECT_EQ(store.journal, "load ");
}

class FrozenClock final : public Clock {
 public:
  Now Read() override { return {}; }
};

// An engine thread over the adder; `delivered` and `errors` are read after Stop.
struct Running {
  explicit Running(std::size_t capacity = 10) : thread(machine, store, clock, capacity, deliver(), failed()) {}
  std::function<void(Adder::Effects)> deliver() {
    return [this](const Adder::Effects& effects) {
      for (const int answer : effects.answers) delivered.push_back({answer, store.total});
    };
  }
  std::function<void(const Error&)> failed() {
    return [this](const Error& error) {
      errors.push_back(error.message);
      EXPECT_FALSE(thread.inbox().PushAlways(1)) << "whoever pushes must learn that nobody listens";
    };
  }

  Adder machine;
  Store store;
  FrozenClock clock;
  std::vector<std::pair<int, int>> delivered;  // answer, and the durable total when it was delivered
  std::vector<std::string> errors;
  EngineThread<Adder, Store> thread;
};

TEST(EngineThread, Stop_HandlesEverythingThatWasPushed) {
  Running running;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(running.thread.inbox().PushAlways(1));
  running.thread.Start(Adder::Effects{{100}, {100}});
  running.thread.Stop();
  ASSERT_EQ(running.delivered.size(), 6u);
  EXPECT_EQ(running.delivered.front(), std::pair(100, 100)) << "recovery is committed and delivered first";
  EXPECT_EQ(running.store.total, 105);
  for (const auto& [answer, durable] : running.delivered) EXPECT_LE(answer, durable);
  EXPECT_EQ(running.thread.stats().inputs, 5u);
}

// An adder that takes new work one at a time, the next when it has answered.
struct OneAtATime : Adder {
  struct Room {
    std::size_t count = 1;
    std::optional<MonotonicTime> more_at;
  };
  static Room RoomAt(MonotonicTime) { return {}; }
};

TEST(EngineThread, ACycle_HasAsMuchNewWorkAsTheMachineHasRoomFor) {
  OneAtATime machine;
  Store store;
  FrozenClock clock;
  std::vector<std::size_t> batches;
  EngineThread<OneAtATime, Store> thread(
      machine, store, clock, 10, [&](const Adder::Effects& effects) { batches.push_back(effects.answers.size()); },
      [](const Error&) {});
  for (int item : {1, 2}) ASSERT_TRUE(thread.inbox().PushInTurn("a", item));
  for (int item : {3, 4}) ASSERT_TRUE(thread.inbox().PushAlways(item));
  thread.Start();
  while (thread.inbox().size() > 0) std::this_thread::yield();
  thread.Stop();
  EXPECT_EQ(batches, (std::vector<std::size_t>{3, 1}));
  EXPECT_EQ(store.total, 10);
}

// An adder that has no room at first, and says when it will have.
struct RoomLater : Adder {
  OneAtATime::Room RoomAt(MonotonicTime now) {
    return asked++ == 0 ? OneAtATime::Room{0, now} : OneAtATime::Room{1, std::nullopt};
  }
  int asked = 0;
};

TEST(EngineThread, NewWorkThatFoundNoRoom_IsTakenWhenThereIsSome) {
  RoomLater machine;
  Store store;
  FrozenClock clock;
  EngineThread<RoomLater, Store> thread(machine, store, clock, 10, [](const Adder::Effects&) {}, [](const Error&) {});
  int item = 1;
  ASSERT_TRUE(thread.inbox().PushInTurn("a", item));
  thread.Start();
  while (thread.inbox().size() > 0) std::this_thread::yield();
  thread.Stop();
  EXPECT_EQ(store.total, 1);
}

TEST(EngineThread, Start_ReturnsWhenRecoveryIsDurable) {
  Running running;
  running.thread.Start(Adder::Effects{{100}, {100}});
  EXPECT_EQ(running.store.total, 100);
  running.thread.Stop();
}

TEST(EngineThread, FailedCommit_IsToldOnceAndNothingIsDeliveredOrTakenAnyMore) {
  Running running;
  running.store.fail_commit = true;
  running.thread.Start();
  ASSERT_TRUE(running.thread.inbox().PushAlways(1));
  running.thread.Stop();
  EXPECT_EQ(running.errors, std::vector<std::string>{"cannot write"});
  EXPECT_TRUE(running.delivered.empty());
}

TEST(EngineThread, FailedRecovery_DeliversNothing) {
  Running running;
  running.store.fail_commit = true;
  ASSERT_TRUE(running.thread.inbox().PushAlways(1));
  running.thread.Start(Adder::Effects{{100}, {100}});
  EXPECT_EQ(running.errors.size(), 1u);
  running.thread.Stop();
  EXPECT_EQ(running.errors.size(), 1u);
  EXPECT_TRUE(running.delivered.empty());
  EXPECT_EQ(running.store.journal, "commit ");
}

}  // namespace
}  // namespace strife::runtime
