// Nemesis: what befalls a cluster in the course of time: partitions, stopped processes, full disks, clocks that jump;
// and, at effect points, death.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/parts.h"
#include "sim/process.h"
#include "sim/storage.h"

namespace strife::sim {

struct NemesisCounts {
  std::uint64_t partitions = 0;
  std::uint64_t takeovers = 0;
  std::uint64_t full_disks = 0;
  std::uint64_t clock_jumps = 0;
};

class Nemesis {
 public:
  // `seed` of the clocks' own chance: with clocks that jump everything else happens as without.
  Nemesis(Parts& parts, std::vector<Process*> processes, std::vector<Disk*> disks, std::uint64_t seed);

  void Begin();
  // Everything is healed, goes on or starts again, and nothing new happens.
  void End();

  // For Parts::fates: crashes as the scenario wants them.
  Fate DrawFate();
  // A process was stopped at an effect point. If it is a gateway, another one will take over.
  void Stopped(std::string_view process);

  const NemesisCounts& counts() const { return counts_; }

 private:
  // Does `strike` again and again, `every` on average; never when that is zero.
  void Repeat(Duration every, Random& random, void (Nemesis::*strike)());
  void Partition();
  void PauseOne();
  void FillDisk();
  void JumpClock();
  void PlanTakeover(const Process& from);
  Process& Pick(Random& random) { return *processes_[random.Draw(processes_.size())]; }

  Parts& parts_;
  const std::vector<Process*> processes_;
  const std::vector<Disk*> disks_;
  Random clock_random_;
  bool active_ = false;
  NemesisCounts counts_;
};

}  // namespace strife::sim
