// Proves that the simulator sees what it is there to see: every defect of protocol/defect.h is switched on by itself
// and must be found within a bounded number of seeds; without a defect the same seeds find nothing.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <new>
#include <string>
#include <string_view>

#include "crash_points/crash_points.h"
#include "mutation/defects.h"
#include "mutation/refusals.h"
#include "mutation/restored_backup.h"
#include "sim/cluster.h"

namespace strife::mutation {
namespace {

using protocol::Defect;

constexpr std::uint64_t kMostSeeds = 500;

// What a hunt found. A defect may end the process that has it, so it is hunted in a child, and this is what both share.
struct Finding {
  std::uint64_t tries = 0;  // seeds or runs, the present one included
  bool found = false;
  char checker[32] = "";
  char sentence[400] = "";

  void Take(const invariant::Violation& violation) {
    found = true;
    std::snprintf(checker, sizeof checker, "%.*s", static_cast<int>(violation.invariant.size()),
                  violation.invariant.data());
    std::snprintf(sentence, sizeof sentence, "%s", violation.sentence.c_str());
  }
};

// Runs `hunt` in a child process with the defect switched on.
Finding InAChild(Defect defect, const std::function<void(Finding&)>& hunt) {
  void* shared = mmap(nullptr, sizeof(Finding), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(shared, MAP_FAILED);
  Finding& finding = *new (shared) Finding;
  std::fflush(nullptr);
  const pid_t child = fork();
  EXPECT_GE(child, 0);
  if (child == 0) {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
    protocol::active_defect = defect;
    hunt(finding);
    _exit(0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
    finding.Take({sim::kAssertion, {}, {}, {}, "an assertion failed"});
  } else {
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the child ended with status " << status;
  }
  const Finding copy = finding;
  munmap(shared, sizeof(Finding));
  return copy;
}

const sim::Scenario& TheScenario() {
  static const sim::Scenario scenario = sim::ReadScenario(STRIFE_SCENARIOS "/mutants.toml").value();
  return scenario;
}

// ---- Where a defect is looked for ----

void Simulate(std::uint64_t seeds, bool refusals, Finding& finding) {
  for (std::uint64_t seed = 1; seed <= seeds && !finding.found; ++seed) {
    finding.tries = seed;
    sim::Cluster cluster(TheScenario(), seed);
    cluster.Run();
    if (!cluster.violations().empty()) return finding.Take(cluster.violations().front().what);
    if (!refusals) continue;
    for (std::size_t bank = 0; bank < static_cast<std::size_t>(TheScenario().cluster.banks); ++bank) {
      const auto found = CheckRefusals(sim::BankName(bank), cluster.bank_disk(bank));
      if (!found.empty()) finding.Take(found.front());
    }
  }
}

void RestoreBackups(Finding& finding) {
  for (const auto& scenario : {AskAfterABankHasShownThatTheCopyIsOld, AskAboutAPaymentThatTheCopyHasLost}) {
    ++finding.tries;
    const auto found = scenario();
    if (!found.empty()) finding.Take(found.front());
  }
}

void CrashEverywhere(Finding& finding) {
  for (const crash_points::Case& of : crash_points::Cases()) {
    for (const Duration restart : crash_points::Restarts()) {
      const auto enumeration = crash_points::Enumerate(of, restart, 1);
      for (const std::uint64_t runs : enumeration.runs) finding.tries += runs;
      if (!enumeration.found.empty()) return finding.Take(enumeration.found.front().violation.what);
    }
  }
}

void Hunt(const Listed& listed, Finding& finding) {
  switch (listed.place) {
    case Place::kSimulation:
      return Simulate(kMostSeeds, false, finding);
    case Place::kRefusals:
      return Simulate(kMostSeeds, true, finding);
    case Place::kRestoredBackup:
      return RestoreBackups(finding);
  }
}

// ---- The proof ----

TEST(Mutation, EveryDefectIsFound) {
  std::printf("%-30s %-12s %-20s %5s  %-20s %5s\n", "defect", "breaks", "found by", "seeds", "at crash points by",
              "runs");
  std::uint64_t most = 0;
  for (const Listed& listed : kDefects) {
    const Finding finding = InAChild(listed.defect, [&](Finding& into) { Hunt(listed, into); });
    const Finding crashing = InAChild(listed.defect, CrashEverywhere);
    std::printf("%-30s %-12s %-20s %5lu  %-20s %5lu\n", std::string(listed.name).c_str(),
                std::string(listed.rule).c_str(), finding.found ? finding.checker : "NOT FOUND", finding.tries,
                crashing.found ? crashing.checker : "-", crashing.tries);
    std::printf("      %s | %s\n", finding.sentence, crashing.sentence);
    EXPECT_TRUE(finding.found) << listed.name << " survives";
    EXPECT_TRUE(crashing.found || !listed.at_crash_points) << listed.name << " survives the crash points";
    if (finding.found) most = std::max(most, finding.tries);
  }
  std::printf("%zu defects\n", std::size(kDefects));
  const Finding sound = InAChild(Defect::kNone, [&](Finding& into) {
    Simulate(most, true, into);
    RestoreBackups(into);
    CrashEverywhere(into);
  });
  EXPECT_FALSE(sound.found) << "without a defect: " << sound.sentence << " (seed " << sound.tries << ")";
}

}  // namespace
}  // namespace strife::mutation
