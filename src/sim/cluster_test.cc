#include "sim/cluster.h"

#include <gtest/gtest.h>

namespace strife::sim {
namespace {

// A whole cluster whose network and disks always take the same time.
Scenario Deterministic() {
  Scenario scenario;
  scenario.cluster.banks = 2;
  scenario.network.latency_least = scenario.network.latency_most = milliseconds(1);
  scenario.storage.commit_least = scenario.storage.commit_most = milliseconds(1);
  scenario.time.faults = seconds(10);
  return scenario;
}

PlannedPayment Payment() {
  PlannedPayment planned;
  planned.at = seconds(3);
  planned.order = {Uuid{{1}},
                   UserName(0),
                   {BankName(0), AccountName(0)},
                   {BankName(1), AccountName(1)},
                   {100, *Currency::Parse("USD")},
                   ""};
  return planned;
}

void ExpectSound(const Cluster& cluster, const std::string& what) {
  for (const Violation& violation : cluster.violations()) ADD_FAILURE() << what << ": " << violation.what.sentence;
}

TEST(Cluster, Calm_EveryPaymentEnds) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Cluster cluster(Scenario{}, seed);
    cluster.Run();
    ExpectSound(cluster, std::to_string(seed));
    EXPECT_GT(cluster.counts().payments.completed, 20u);
  }
}

TEST(Cluster, OnePaymentCrashedAtAnEffectPoint_Ends) {
  Cluster::Options options;
  options.workload = {Payment()};
  options.fates = [](const EffectPoint& point) {
    return point.process == "gateway1" && point.number == 8 ? Fate::kCrash : Fate::kGoOn;
  };
  Cluster cluster(Deterministic(), 1, std::move(options));
  cluster.Run();
  ExpectSound(cluster, "point 8");
  EXPECT_EQ(cluster.counts().processes.crashes, 1u);
  EXPECT_EQ(cluster.Outcomes().size(), 1u);
  EXPECT_GT(cluster.EffectPoints().at("gateway1"), 8u);
}

}  // namespace
}  // namespace strife::sim
