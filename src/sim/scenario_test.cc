#include "sim/scenario.h"

#include <gtest/gtest.h>

namespace strife::sim {
namespace {

TEST(ParseScenario, Keys_AreTaken) {
  const auto scenario = ParseScenario(
      "description = 'x'\nvary = true\n[cluster]\nbanks = 5\n[network]\nlose_per_mille = 70\n"
      "[storage]\nslow_most_ms = 2_500\n",
      "file");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_TRUE(scenario->vary);
  EXPECT_EQ(scenario->cluster.banks, 5);
  EXPECT_EQ(scenario->network.lose, 70u);
  EXPECT_EQ(scenario->storage.slow_most, milliseconds(2500));
  EXPECT_EQ(scenario->workload.payments, Scenario{}.workload.payments);
}

struct Wrong {
  const char* text;
  const char* named;
};

class WrongScenario : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongScenario, IsRefusedNamingTheKey) {
  const auto scenario = ParseScenario(GetParam().text, "mix.toml");
  ASSERT_FALSE(scenario);
  EXPECT_EQ(scenario.error().code, ErrorCode::kInvalidInput);
  EXPECT_NE(scenario.error().message.find("mix.toml"), std::string::npos) << scenario.error().message;
  EXPECT_NE(scenario.error().message.find(GetParam().named), std::string::npos) << scenario.error().message;
}

INSTANTIATE_TEST_SUITE_P(, WrongScenario,
                         ::testing::Values(Wrong{"colour = 1", "colour"},
                                           Wrong{"[network]\nloose = 1", "network.loose"},
                                           Wrong{"[nemesis]\nx = 1", "nemesis"},
                                           Wrong{"[cluster]\nbanks = 0", "cluster.banks"},
                                           Wrong{"[cluster]\ngateways = 3", "cluster.gateways"},
                                           Wrong{"[cluster]\nbanks = 2.5", "cluster.banks"},
                                           Wrong{"[cluster]\noutboxes = 3", "cluster.outboxes"},
                                           Wrong{"[network]\nlose_per_mille = 1001", "network.lose_per_mille"},
                                           Wrong{"[time]\nfaults_ms = -1", "time.faults_ms"},
                                           Wrong{"[time]\nfaults_ms = '1s'", "time.faults_ms"},
                                           Wrong{"vary = 1", "vary"}, Wrong{"cluster = 3", "cluster"},
                                           Wrong{"[network]\nlatency_least_ms = 30", "network.latency_least_ms"},
                                           Wrong{"[network", "line 1"}));

TEST(ReadScenario, MissingFile_IsNamed) {
  const auto scenario = ReadScenario("/nonexistent/mix.toml");
  ASSERT_FALSE(scenario);
  EXPECT_NE(scenario.error().message.find("/nonexistent/mix.toml"), std::string::npos);
}

TEST(Vary, NeverMakesAFaultStronger_AndLeavesSomeOut) {
  Scenario all;
  all.network.lose = 100;
  all.processes.crash = 50;
  all.processes.pause_every = seconds(2);
  bool without_loss = false, with_loss = false;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    Scenario varied = all;
    Vary(varied, random);
    EXPECT_LE(varied.network.lose, 100u);
    EXPECT_LE(varied.processes.crash, 50u);
    EXPECT_TRUE(varied.processes.pause_every == Duration(0) || varied.processes.pause_every >= seconds(2));
    (varied.network.lose == 0 ? without_loss : with_loss) = true;
  }
  EXPECT_TRUE(without_loss && with_loss);
}

}  // namespace
}  // namespace strife::sim
