// Every scenario of tests/scenarios under fixed seeds, which say the same on every machine, and under fresh ones.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "sim/sweep.h"
#include "sim/test_support.h"

namespace strife::sim {
namespace {

constexpr std::uint64_t kFixedSeeds = 15;
constexpr std::uint64_t kFreshSeeds = 15;

std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(STRIFE_SCENARIOS)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

// STRIFE_SEED, or the time of day.
std::uint64_t FreshSeed() {
  if (const char* seed = std::getenv("STRIFE_SEED")) return std::stoull(seed);
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() / std::chrono::seconds(1));
}

class ScenarioFile : public ::testing::TestWithParam<std::string> {
 protected:
  void RunSeeds(std::uint64_t first, std::uint64_t last) {
    const auto scenario = ReadScenario(GetParam());
    ASSERT_TRUE(scenario) << scenario.error().message;
    EXPECT_FALSE(scenario->description.empty());
    const SweepResult sweep = Sweep(*scenario, first, last, 1, [](std::uint64_t) {});
    if (sweep.failure) {
      testing::ExpectSound(sweep.failure->violations,
                           "strife sim --scenario " + GetParam() + " --seed " + std::to_string(sweep.failure->seed));
    }
    EXPECT_GT(sweep.counts.payments.completed, 0u);
    EXPECT_GT(sweep.counts.payments.aborted, 0u);
  }
};

TEST_P(ScenarioFile, FixedSeeds_BreakNothing) { RunSeeds(1, kFixedSeeds); }

TEST_P(ScenarioFile, FreshSeeds_BreakNothing) {
  const std::uint64_t first = FreshSeed();
  std::cout << "fresh seeds " << first << ".." << first + kFreshSeeds - 1 << "; STRIFE_SEED=" << first
            << " repeats them\n";
  RunSeeds(first, first + kFreshSeeds - 1);
}

std::string Name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).stem().string();
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(, ScenarioFile, ::testing::ValuesIn(Files()), Name);

}  // namespace
}  // namespace strife::sim
