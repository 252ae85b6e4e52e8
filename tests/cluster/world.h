// Time, chance and the network of a cluster that lives in one thread: everything that happens is an event, and a seed
// says which and when.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <utility>

#include "base/time.h"

namespace strife::cluster {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How often things go wrong, per mille. A seed switches each kind off half the time, so that every mix comes up.
struct Faults {
  unsigned lose = 0;       // a message
  unsigned duplicate = 0;  // a message
  unsigned delay = 0;      // a message, by seconds
  unsigned crash = 0;      // a process, in one cycle
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    faults = {Sometimes(150), Sometimes(100), Sometimes(100), Sometimes(40)};
  }

  Now now() const { return {MonotonicTime(time_), WallTime(time_)}; }
  Duration time() const { return time_; }
  std::uint64_t Draw(std::uint64_t below) { return random_() % below; }
  bool Chance(unsigned per_mille) { return Draw(1000) < per_mille; }
  Duration DrawDuration(Duration below) {
    return Duration(static_cast<std::int64_t>(Draw(static_cast<std::uint64_t>(below.count()))));
  }

  void After(Duration delay, std::function<void()> event) { events_.emplace(time_ + delay, std::move(event)); }

  // Sends a message: it is lost, comes once or twice, soon or after others that were sent later.
  void Send(const std::function<void()>& arrive) {
    if (Chance(faults.lose)) return;
    const int copies = Chance(faults.duplicate) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      After(DrawDuration(Chance(faults.delay) ? Duration(seconds(12)) : milliseconds(20)), arrive);
    }
  }

  void RunUntil(Duration end, const std::function<bool()>& done) {
    while (!events_.empty() && events_.begin()->first < end && !done()) {
      const auto next = events_.extract(events_.begin());
      time_ = next.key();
      next.mapped()();
    }
  }

  Faults faults;

 private:
  unsigned Sometimes(unsigned most) { return Chance(500) ? static_cast<unsigned>(Draw(most)) : 0; }

  std::mt19937_64 random_;
  Duration time_{seconds(1)};
  std::multimap<Duration, std::function<void()>> events_;  // of one moment: in the order they were added
};

}  // namespace strife::cluster
