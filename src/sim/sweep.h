// Runs of seeds: one, to be looked at closely, or very many.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "sim/cluster.h"

namespace strife::sim {

// What a run of one seed came to.
struct SeedResult {
  std::uint64_t seed = 0;
  std::uint64_t trace_hash = 0;
  Counts counts;
  std::vector<Violation> violations;  // empty: all is well
};

SeedResult RunSeed(const Scenario& scenario, std::uint64_t seed);

// How the first violation came about: the seed once more, with what happened to the transaction and meanwhile to the
// processes. REQUIRES: result.violations is not empty.
std::vector<StoryLine> TellStory(const Scenario& scenario, const SeedResult& result);

struct SweepResult {
  Counts counts;                      // of the runs that were made
  std::optional<SeedResult> failure;  // the lowest seed with a violation; seeds after it may not have been run
};

// Runs the seeds first … last on `jobs` threads. `progress` is told how many are done, by one thread at a time.
SweepResult Sweep(const Scenario& scenario, std::uint64_t first, std::uint64_t last, int jobs,
                  const std::function<void(std::uint64_t done)>& progress);

}  // namespace strife::sim
