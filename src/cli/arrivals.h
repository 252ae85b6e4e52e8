// When the calls of an open loop are made: at a rate, by chance, like many people who know nothing of each other. The
// times depend on nothing that is answered.
#pragma once

#include <cstdint>
#include <random>

#include "base/time.h"

namespace strife::cli {

class Arrivals {
 public:
  // REQUIRES: per_second > 0.
  Arrivals(double per_second, std::uint64_t seed) : random_(seed), gap_(per_second) {}

  // The next arrival, since the start; never before the one that was returned last.
  Duration Next() {
    at_seconds_ += gap_(random_);
    return Duration(static_cast<Duration::rep>(at_seconds_ * 1e6));
  }

 private:
  std::mt19937_64 random_;
  std::exponential_distribution<double> gap_;
  double at_seconds_ = 0;
};

}  // namespace strife::cli
