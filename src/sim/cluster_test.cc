#include "sim/cluster.h"

#include <gtest/gtest.h>

#include "sim/sweep.h"
#include "sim/test_support.h"

namespace strife::sim {
namespace {

using testing::Deterministic;
using testing::ExpectSound;
using testing::Found;
using testing::Payment;

// Faults of all kinds, strong enough for a short run to meet each.
Scenario Rough() {
  Scenario scenario;
  scenario.cluster.gateways = 2;
  scenario.network.lose = scenario.network.duplicate = scenario.network.delay = 100;
  scenario.network.partition_every = seconds(3);
  scenario.storage.fail = 10;
  scenario.storage.slow = 20;
  scenario.storage.full_every = seconds(6);
  scenario.processes.crash = 10;
  scenario.processes.pause_every = seconds(2);
  scenario.processes.takeover = milliseconds(500);
  scenario.clocks = {seconds(300), seconds(1), seconds(300)};
  return scenario;
}

TEST(Cluster, Calm_SoundPaymentsCompleteAndHopelessOnesAbort) {
  Scenario scenario;
  scenario.workload.largest_minor_units = 10;  // nobody runs out of money
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Random random(seed);
    std::vector<PlannedPayment> workload = MakeWorkload(scenario, random);
    for (PlannedPayment& planned : workload) planned.at += seconds(3);  // banks register first
    Cluster cluster(scenario, seed, {.fates = {}, .workload = workload, .follow = {}});
    cluster.Run();
    ExpectSound(cluster.violations(), "seed " + std::to_string(seed));
    const auto outcomes = cluster.Outcomes();
    for (const PlannedPayment& planned : workload) {
      const auto outcome = outcomes.find(planned.order.id);
      if (planned.order.to.bank_id == kUnknownBank) continue;
      ASSERT_NE(outcome, outcomes.end());
      EXPECT_EQ(outcome->second == protocol::PaymentState::kAborted, planned.must_abort);
    }
  }
}

TEST(Cluster, SameSeed_HappensTheSameAgain) {
  const SeedResult first = RunSeed(Rough(), 5);
  const SeedResult again = RunSeed(Rough(), 5);
  EXPECT_EQ(first.trace_hash, again.trace_hash);
  EXPECT_EQ(first.counts.events, again.counts.events);
  EXPECT_NE(first.trace_hash, RunSeed(Rough(), 6).trace_hash);
}

TEST(Cluster, StoryOfATransaction_ChangesNothingAndTellsOfIt) {
  Cluster::Options options{.fates = {}, .workload = {{Payment()}}, .follow = {}};
  Cluster silent(Deterministic(), 1, options);
  silent.Run();
  options.follow = Payment().order.id;
  Cluster told(Deterministic(), 1, options);
  told.Run();
  EXPECT_EQ(silent.trace_hash(), told.trace_hash());
  EXPECT_TRUE(silent.story().empty());
  const auto tells = [&](const std::string& process, const std::string& event) {
    return std::ranges::any_of(
        told.story(), [&](const StoryLine& line) { return line.process == process && line.event.starts_with(event); });
  };
  EXPECT_TRUE(tells("client1", "keeps what its user enters: user1 pays 1.00 USD from bank1/account1"));
  EXPECT_TRUE(tells("bank1", "records PREPARED"));
  EXPECT_TRUE(tells("gateway1", "sends commit (epoch 1) to bank2"));
  EXPECT_TRUE(tells("client1", "hears: COMPLETED"));
}

TEST(Cluster, RoughSeeds_MeetEveryKindOfFaultAndEndWell) {
  Counts sum;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const SeedResult result = RunSeed(Rough(), seed);
    ExpectSound(result.violations, "seed " + std::to_string(seed));
    sum.Add(result.counts);
  }
  EXPECT_GT(sum.network.lost, 0u);
  EXPECT_GT(sum.network.duplicated, 0u);
  EXPECT_GT(sum.network.delayed, 0u);
  EXPECT_GT(sum.network.cut_off, 0u);
  EXPECT_GT(sum.disks.failed, 0u);
  EXPECT_GT(sum.disks.refused, 0u);
  EXPECT_GT(sum.disks.slow, 0u);
  EXPECT_GT(sum.processes.crashes, 0u);
  EXPECT_GT(sum.processes.pauses, 0u);
  EXPECT_GT(sum.processes.fenced, 0u) << "a replaced gateway came back and was refused by its store";
  EXPECT_GT(sum.nemesis.takeovers, 0u);
  EXPECT_GT(sum.nemesis.clock_jumps, 0u);
}

// Rule 13. The clocks have chance of their own, so that everything else happens as without them.
TEST(Cluster, WallClocksThatJump_ChangeNoOutcome) {
  Scenario steady = Rough();
  steady.clocks = {};
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Cluster with(Rough(), seed), without(steady, seed);
    with.Run();
    without.Run();
    EXPECT_GT(with.counts().nemesis.clock_jumps, 0u);
    EXPECT_EQ(with.Outcomes(), without.Outcomes()) << seed;
    EXPECT_EQ(with.counts().network.sent, without.counts().network.sent) << seed;
  }
}

TEST(Cluster, CrashAtEachEffectPointOfAPayment_Ends) {
  Cluster calm(Deterministic(), 1, {.fates = {}, .workload = {{Payment()}}, .follow = {}});
  calm.Run();
  ExpectSound(calm.violations(), "no crash");
  std::uint64_t crashes = 0;
  for (const auto& [process, points] : calm.EffectPoints()) {
    for (std::uint64_t number = 1; number <= points; ++number) {
      const auto crash = [&](const EffectPoint& point) {
        return point.process == process && point.number == number ? Fate::kCrash : Fate::kGoOn;
      };
      Cluster cluster(Deterministic(), 1, {.fates = crash, .workload = {{Payment()}}, .follow = {}});
      cluster.Run();
      const std::string where = process + " at point " + std::to_string(number);
      ExpectSound(cluster.violations(), where);
      EXPECT_EQ(cluster.counts().processes.crashes, 1u) << where;
      EXPECT_EQ(cluster.Outcomes().size(), 1u) << where;
      crashes += cluster.counts().processes.crashes;
    }
  }
  EXPECT_GT(crashes, 30u);
}

TEST(Cluster, GatewayPausedAtAnEffectPoint_GoesOnWhereItWas) {
  const auto pause = [](const EffectPoint& point) {
    return point.process == "gateway1" && point.kind == EffectKind::kSend && point.number > 10 && point.number < 14
               ? Fate::kPause
               : Fate::kGoOn;
  };
  Cluster cluster(Deterministic(), 1, {.fates = pause, .workload = {{Payment()}}, .follow = {}});
  cluster.Run();
  ExpectSound(cluster.violations(), "paused");
  EXPECT_GT(cluster.counts().processes.pauses, 0u);
  EXPECT_EQ(cluster.Outcomes().size(), 1u);
}

// ---- What is wrong is found ----

// Does `damage` to the cluster when `process` passes its point `number`.
std::vector<Violation> RunDamaged(const std::string& process, std::uint64_t number,
                                  const std::function<void(Cluster&)>& damage) {
  Cluster* damaged = nullptr;
  const auto strike = [&](const EffectPoint& point) {
    if (point.process == process && point.number == number) damage(*damaged);
    return Fate::kGoOn;
  };
  Cluster cluster(Deterministic(), 1, {.fates = strike, .workload = {{Payment()}}, .follow = {}});
  damaged = &cluster;
  cluster.Run();
  return cluster.violations();
}

TEST(Cluster, MoneyThatAppearsOnADisk_IsFound) {
  const auto found = RunDamaged("client1", 4, [](Cluster& cluster) {
    cluster.bank_disk(0).Access([](MemoryBankContents& contents) { contents.accounts.at(AccountName(2)).posted += 1; });
  });
  EXPECT_TRUE(Found(found, invariant::kBalances));
}

TEST(Cluster, PaymentThatVanishesFromTheGateway_IsFound) {
  const auto found = RunDamaged("client1", 4, [](Cluster& cluster) {
    cluster.gateway_disk().Access([](MemoryGatewayContents& contents) { contents.payments.clear(); });
  });
  EXPECT_TRUE(Found(found, invariant::kStability));
}

TEST(Cluster, BankThatNeverComesBack_IsAPaymentThatDoesNotEnd) {
  const auto always = [](const EffectPoint& point) {
    return point.process == "bank2" && point.number > 12 ? Fate::kCrash : Fate::kGoOn;
  };
  Cluster cluster(Deterministic(), 1, {.fates = always, .workload = {{Payment()}}, .follow = {}});
  cluster.Run();
  EXPECT_TRUE(Found(cluster.violations(), kTermination));
}

TEST(Cluster, FailedAssertion_IsAViolation) {
  const auto found = RunDamaged("bank1", 10, [](Cluster&) { STRIFE_ASSERT(1 + 1 == 3); });
  EXPECT_TRUE(Found(found, kAssertion));
}

}  // namespace
}  // namespace strife::sim
