// Thousands of random schedules with lost, doubled, late and overtaken messages and processes killed at every point.
// STRIFE_SEED=n runs one seed alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "cluster/cluster.h"

namespace strife::cluster {
namespace {

TEST(Cluster, RandomSchedule_EveryPaymentEndsOnceEverywhereAndClientsWereToldTheTruth) {
  const char* only = std::getenv("STRIFE_SEED");
  const std::uint64_t first = only != nullptr ? std::stoull(only) : 1;
  const std::uint64_t last = only != nullptr ? first : 2000;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    Cluster cluster(seed);
    cluster.Run(20);
    cluster.Check();
    ASSERT_FALSE(HasFailure()) << "repeat it with STRIFE_SEED=" << seed;
  }
}

}  // namespace
}  // namespace strife::cluster
