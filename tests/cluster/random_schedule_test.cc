// Random schedules with lost, doubled, late and overtaken messages and processes killed at every point.
// STRIFE_SEED=n runs one seed alone; STRIFE_SEEDS=n runs the seeds 1 to n.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "cluster/cluster.h"

namespace strife::cluster {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::stoull(value) : otherwise;
}

TEST(Cluster, RandomSchedule_EveryPaymentEndsOnceEverywhereAndClientsWereToldTheTruth) {
  const std::uint64_t only = FromEnvironment("STRIFE_SEED", 0);
  const std::uint64_t last = only > 0 ? only : FromEnvironment("STRIFE_SEEDS", 750);
  for (std::uint64_t seed = only > 0 ? only : 1; seed <= last; ++seed) {
    Cluster cluster(seed);
    cluster.Run(20);
    cluster.Check();
    ASSERT_FALSE(HasFailure()) << "repeat it with STRIFE_SEED=" << seed;
  }
}

}  // namespace
}  // namespace strife::cluster
