// Processes, their disks and their clocks: what a crash takes, what a pause keeps, what a disk does.
#include "sim/process.h"

#include <gtest/gtest.h>

#include "sim/storage.h"
#include "sim/test_support.h"

namespace strife::sim {
namespace {

class IdleProcess final : public Process {
 public:
  using Process::After;
  using Process::Process;

 private:
  void OnStart() override {}
  void OnCrash() override {}
};

class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest() { process_.Start(); }
  void RunFor(Duration time) {
    world_.RunUntil(world_.now() + time, [] { return false; });
  }
  // What became of a write: whether it was carried out, and whether the process was told that it was.
  struct Written {
    bool done = false;
    bool told = false;
  };
  Written Write() { return Write(disk_); }
  Written Write(Disk& disk) {
    Written written;
    const Status status = disk.Write(process_, [&]() -> Status {
      written.done = true;
      return {};
    });
    written.told = status.has_value();
    return written;
  }
  void CrashAt(EffectKind kind) {
    parts_.fates = [kind](const EffectPoint& point) { return point.kind == kind ? Fate::kCrash : Fate::kGoOn; };
  }

  World world_{1};
  Network network_{world_, {}, 1};
  Checkers checkers_{world_, {}};
  Auditor auditor_{checkers_, 0};
  Parts parts_{world_, network_, checkers_, auditor_, {}, {}, {}, {}, {}};
  IdleProcess process_{parts_, 0, "process1"};
  Disk disk_{world_, {}};
};

TEST_F(ProcessTest, Crash_LosesTimersAndWhatArrivesUntilItIsBack) {
  int happened = 0;
  process_.After(seconds(1), [&] { ++happened; });
  process_.Crash("a test");
  process_.Arrive([&] { ++happened; });
  EXPECT_FALSE(process_.up());
  RunFor(parts_.scenario.processes.restart_most);
  EXPECT_TRUE(process_.up());
  EXPECT_EQ(happened, 0);
  process_.Arrive([&] { ++happened; });
  EXPECT_EQ(happened, 1);
}

TEST_F(ProcessTest, Pause_HoldsEverythingBackInOrder) {
  std::vector<int> happened;
  process_.After(seconds(2), [&] { happened.push_back(2); });
  process_.Pause();
  process_.Arrive([&] { happened.push_back(1); });
  RunFor(seconds(3));
  process_.Arrive([&] { happened.push_back(3); });
  EXPECT_TRUE(happened.empty());
  process_.Resume();
  EXPECT_EQ(happened, (std::vector{1, 2, 3}));
}

TEST_F(ProcessTest, CrashWhilePaused_LosesWhatWaited) {
  int happened = 0;
  process_.Pause();
  process_.Arrive([&] { ++happened; });
  process_.Crash("a test");
  RunFor(seconds(10));
  process_.Resume();
  EXPECT_EQ(happened, 0);
}

TEST_F(ProcessTest, AnswerToARunThatHasDied_IsNotHeard) {
  int heard = 0;
  auto answer = process_.InThisRun([&](int n) { heard += n; });
  answer(1);
  process_.Crash("a test");
  RunFor(seconds(10));
  answer(10);
  EXPECT_EQ(heard, 1);
}

TEST_F(ProcessTest, EffectPoints_AreNumberedAcrossRestarts) {
  std::vector<std::uint64_t> numbers;
  parts_.fates = [&](const EffectPoint& point) {
    numbers.push_back(point.number);
    return Fate::kGoOn;
  };
  process_.At(EffectKind::kSend);
  process_.Crash("a test");
  RunFor(seconds(10));
  process_.At(EffectKind::kSend);
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(ProcessTest, CrashBeforeACommit_LeavesNothing) {
  CrashAt(EffectKind::kCommitBegins);
  const Written written = Write();
  EXPECT_FALSE(written.done);
  EXPECT_FALSE(written.told);
}

TEST_F(ProcessTest, CrashAfterACommit_LeavesItAllUntold) {
  CrashAt(EffectKind::kCommitDurable);
  const Written written = Write();
  EXPECT_TRUE(written.done);
  EXPECT_FALSE(written.told);
}

TEST_F(ProcessTest, FailingFsync_IsNeverTakenForSuccess_AndLeavesTheBatchOrNot) {
  Scenario::Storage faults;
  faults.fail = 1000;
  Disk disk(world_, faults);
  int there = 0;
  for (int i = 0; i < 200; ++i) {
    const Written written = Write(disk);
    EXPECT_FALSE(written.told);
    there += written.done ? 1 : 0;
  }
  EXPECT_GT(there, 50);
  EXPECT_LT(there, 150);
}

TEST_F(ProcessTest, FullDisk_TakesNothingUntilThereIsSpace) {
  disk_.SetSpace(Space::kNone);
  EXPECT_FALSE(Write().done);
  EXPECT_EQ(disk_.counts().refused, 1u);
  disk_.SetSpace(Space::kEnough);
  EXPECT_TRUE(Write().told);
}

TEST_F(ProcessTest, DiskThatRunsLow_SaysSoAndStillWrites) {
  disk_.SetSpace(Space::kLow);
  EXPECT_TRUE(disk_.low());
  EXPECT_TRUE(Write().told);
  disk_.SetSpace(Space::kEnough);
  EXPECT_FALSE(disk_.low());
}

TEST_F(ProcessTest, Clocks_TheWallJumpsAndTheMonotonicDoesNot) {
  const Now before = process_.now();
  process_.clock().Jump(-seconds(300));
  RunFor(seconds(1));
  const Now after = process_.now();
  EXPECT_EQ(after.wall - before.wall, -seconds(299));
  EXPECT_EQ(after.monotonic - before.monotonic, seconds(1));
}

}  // namespace
}  // namespace strife::sim
