// Proves that the simulator sees what it is there to see: every defect of protocol/defect.h is switched on by itself
// and must be found within a bounded number of seeds; without a defect the same seeds find nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>

#include "base/assertions_throw.h"
#include "crash_points/crash_points.h"
#include "mutation/defects.h"
#include "mutation/refusals.h"
#include "mutation/restored_backup.h"

namespace strife::mutation {
namespace {

constexpr std::uint64_t kMostSeeds = 1000;
constexpr std::uint64_t kSoundSeeds = 100;  // without a defect

// What a hunt came to.
struct Finding {
  std::uint64_t runs = 0;
  std::string checker;  // empty: nothing was found
  std::string sentence;

  bool found() const { return !checker.empty(); }
  void Take(const invariant::Violation& violation) {
    checker = violation.invariant;
    sentence = violation.sentence;
  }
};

const sim::Scenario& Rough() {
  static const sim::Scenario scenario = sim::ReadScenario(STRIFE_SCENARIOS "/mutants.toml").value();
  return scenario;
}

// The seeds from 1, until something is found; with `refusals`, each run's banks are sent what they must refuse.
Finding Simulate(std::uint64_t seeds, bool refusals) {
  Finding finding;
  while (finding.runs < seeds && !finding.found()) {
    sim::Cluster cluster(Rough(), ++finding.runs);
    cluster.Run();
    if (!cluster.violations().empty()) {
      finding.Take(cluster.violations().front().what);
    } else if (refusals) {
      for (std::size_t bank = 0; bank < static_cast<std::size_t>(Rough().cluster.banks); ++bank) {
        const auto found = CheckRefusals(sim::BankName(bank), cluster.bank_disk(bank));
        if (!found.empty()) finding.Take(found.front());
      }
    }
  }
  return finding;
}

Finding RestoreBackups() {
  Finding finding;
  for (const auto& scenario : {AskAfterABankHasShownThatTheCopyIsOld, AskAboutAPaymentThatTheCopyHasLost}) {
    ++finding.runs;
    if (const auto found = scenario(); !found.empty()) finding.Take(found.front());
  }
  return finding;
}

// One crash at every point.
Finding CrashEverywhere() {
  Finding finding;
  for (const crash_points::Case& of : crash_points::Cases()) {
    for (const Duration restart : crash_points::Restarts()) {
      const auto enumeration = crash_points::Enumerate(of, restart, 1);
      for (const std::uint64_t runs : enumeration.runs) finding.runs += runs;
      if (enumeration.found.empty()) continue;
      finding.Take(enumeration.found.front().violation.what);
      return finding;
    }
  }
  return finding;
}

Finding Hunt(Place place) {
  const AssertionsThrow assertions_throw;
  try {
    return place == Place::kRestoredBackup ? RestoreBackups() : Simulate(kMostSeeds, place == Place::kRefusals);
  } catch (const AssertionError& failed) {
    return {1, std::string(sim::kAssertion), failed.what()};
  }
}

void Print(const Listed& listed, const Finding& hunted, const Finding& crashed) {
  const auto text = [](const Finding& finding) { return finding.found() ? finding.checker.c_str() : "-"; };
  std::printf("%-29s %-12s %-20s %5lu  %-20s %5lu\n", listed.name, listed.rule, text(hunted), hunted.runs,
              text(crashed), crashed.runs);
}

TEST(Mutation, EveryDefectIsFoundAndNothingWithoutOne) {
  std::printf("%-29s %-12s %-20s %5s  %-20s %5s\n", "defect", "breaks", "found by", "seeds", "at crash points by",
              "runs");
  std::uint64_t most = kSoundSeeds;
  for (const Listed& listed : kDefects) {
    protocol::active_defect = listed.defect;
    const Finding hunted = Hunt(listed.place);
    const Finding crashed = CrashEverywhere();
    protocol::active_defect = Defect::kNone;
    Print(listed, hunted, crashed);
    EXPECT_TRUE(hunted.found()) << listed.name << " survives";
    EXPECT_TRUE(crashed.found() || !listed.at_crash_points) << listed.name << " survives the crash points";
    if (hunted.found()) most = std::max(most, hunted.runs);
  }
  std::printf("%zu defects; without one, the same places with %lu seeds\n", std::size(kDefects), most);
  for (const Finding& sound : {Simulate(most, true), RestoreBackups(), CrashEverywhere()}) {
    EXPECT_FALSE(sound.found()) << "without a defect, run " << sound.runs << ": " << sound.sentence;
  }
}

// The list here is complete: a defect nobody hunts proves nothing.
TEST(Mutation, EveryDefectIsListedOnce) {
  constexpr auto kCount = static_cast<std::size_t>(Defect::kCount);
  ASSERT_EQ(std::size(kDefects), kCount - 1);
  for (std::size_t n = 1; n < kCount; ++n) {
    EXPECT_EQ(std::ranges::count(kDefects, static_cast<Defect>(n), &Listed::defect), 1) << n;
  }
}

}  // namespace
}  // namespace strife::mutation
