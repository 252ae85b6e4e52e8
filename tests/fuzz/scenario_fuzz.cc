// The simulator's scenario files. A scenario that is accepted is one the simulator can run.
#include "fuzz.h"
#include "sim/scenario.h"

namespace strife::sim {
namespace {

FUZZ_TARGET(scenario) {
  auto scenario = ParseScenario(input, "scenario.toml");
  if (!scenario) return fuzz::CheckMessage(scenario.error().message);
  Random random(1);
  Vary(*scenario, random);
  STRIFE_ASSERT(scenario->cluster.banks >= 1 && scenario->cluster.clients > scenario->cluster.outboxes);
  STRIFE_ASSERT(scenario->network.latency_least <= scenario->network.latency_most);
  STRIFE_ASSERT(scenario->network.lose <= 1000 && scenario->storage.fail <= 1000 && scenario->processes.crash <= 1000);
  STRIFE_ASSERT(scenario->workload.payments > 0 && scenario->workload.largest_minor_units > 0);
}

}  // namespace
}  // namespace strife::sim
