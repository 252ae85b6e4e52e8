#include "sim/sweep.h"

#include <algorithm>
#include <mutex>
#include <thread>

namespace strife::sim {

SeedResult RunSeed(const Scenario& scenario, std::uint64_t seed) {
  Cluster cluster(scenario, seed);
  cluster.Run();
  return {seed, cluster.trace_hash(), cluster.counts(), cluster.violations()};
}

std::vector<StoryLine> TellStory(const Scenario& scenario, const SeedResult& result) {
  STRIFE_ASSERT(!result.violations.empty());
  const Violation& violation = result.violations.front();
  Cluster cluster(scenario, result.seed, {.fates = {}, .workload = {}, .follow = violation.what.transaction_id});
  cluster.Run();
  STRIFE_ASSERT(cluster.trace_hash() == result.trace_hash);  // the same seed replays exactly
  std::vector<StoryLine> story = cluster.story();
  const auto first = std::ranges::find(story, true, &StoryLine::about_transaction);
  if (first == story.end()) return story;
  const Duration begin = first->at - seconds(1);
  std::erase_if(story, [&](const StoryLine& line) { return line.at < begin || line.at > violation.at; });
  return story;
}

SweepResult Sweep(const Scenario& scenario, std::uint64_t first, std::uint64_t last, int jobs,
                  const std::function<void(std::uint64_t)>& progress) {
  std::mutex mutex;
  SweepResult sweep;
  std::uint64_t next = first;
  std::uint64_t done = 0;
  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (next <= last && !sweep.failure) {
      const std::uint64_t seed = next++;
      lock.unlock();
      SeedResult result = RunSeed(scenario, seed);
      lock.lock();
      sweep.counts.Add(result.counts);
      progress(++done);
      if (result.violations.empty()) continue;
      if (!sweep.failure || seed < sweep.failure->seed) sweep.failure = std::move(result);
    }
  };
  std::vector<std::thread> threads;
  for (int n = 1; n < jobs; ++n) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return sweep;
}

}  // namespace strife::sim
