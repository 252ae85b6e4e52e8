#include "sim/nemesis.h"

#include <utility>

#include "sim/gateway_process.h"

namespace strife::sim {

Nemesis::Nemesis(Parts& parts, std::vector<Process*> processes, std::vector<Disk*> disks, std::uint64_t seed)
    : parts_(parts), processes_(std::move(processes)), disks_(std::move(disks)), clock_random_(~seed) {}

void Nemesis::Begin() {
  active_ = true;
  const Scenario& scenario = parts_.scenario;
  for (Process* process : processes_) {
    process->clock().Jump(clock_random_.Between(-scenario.clocks.skew_most, scenario.clocks.skew_most));
  }
  Random& random = parts_.world.random();
  Repeat(scenario.network.partition_every, random, &Nemesis::Partition);
  Repeat(scenario.processes.pause_every, random, &Nemesis::PauseOne);
  Repeat(scenario.storage.full_every, random, &Nemesis::FillDisk);
  Repeat(scenario.clocks.jump_every, clock_random_, &Nemesis::JumpClock);
}

void Nemesis::End() {
  active_ = false;
  parts_.network.StopFaults();
  for (Disk* disk : disks_) disk->StopFaults();
  for (Process* process : processes_) process->Resume();
}

Fate Nemesis::DrawFate() {
  const bool crash = active_ && parts_.world.random().Chance(parts_.scenario.processes.crash);
  return crash ? Fate::kCrash : Fate::kGoOn;
}

void Nemesis::Repeat(Duration every, Random& random, void (Nemesis::*strike)()) {
  if (every == Duration(0)) return;
  parts_.world.After(random.Between(Duration(0), 2 * every), [this, every, &random, strike] {
    if (!active_) return;
    (this->*strike)();
    Repeat(every, random, strike);
  });
}

// Cuts one process off from another one or from all others, in one direction or both.
void Nemesis::Partition() {
  Random& random = parts_.world.random();
  const Scenario::Network& faults = parts_.scenario.network;
  ++counts_.partitions;
  Process& one = Pick(random);
  const Process* other = random.Chance(500) ? &Pick(random) : nullptr;  // null: all others
  const std::uint64_t direction = random.Chance(faults.one_way) ? random.Draw(2) : 2;
  std::vector<std::pair<std::size_t, std::size_t>> cuts;
  for (const Process* far : processes_) {
    if (far == &one || (other != nullptr && far != other)) continue;
    if (direction != 1) cuts.emplace_back(one.number(), far->number());
    if (direction != 0) cuts.emplace_back(far->number(), one.number());
  }
  for (const auto& [from, to] : cuts) parts_.network.Cut(from, to);
  constexpr std::string_view kDirections[] = {"cannot reach ", "cannot be reached by ", "is cut off from "};
  const std::string far = other != nullptr ? other->name() : "all others";
  one.TellOfItself(std::string(kDirections[direction]) + far);
  if (other == nullptr) PlanTakeover(one);
  parts_.world.After(random.Between(milliseconds(1), faults.partition_most), [this, &one, far, cuts] {
    for (const auto& [from, to] : cuts) parts_.network.Heal(from, to);
    one.TellOfItself("is connected again with " + far);
  });
}

void Nemesis::PauseOne() {
  Random& random = parts_.world.random();
  Process& process = Pick(random);
  process.Pause();
  if (!process.paused()) return;
  PlanTakeover(process);
  parts_.world.After(random.Between(milliseconds(1), parts_.scenario.processes.pause_most),
                     [&process, run = process.run()] {
                       if (process.run() == run) process.Resume();
                     });
}

void Nemesis::Stopped(std::string_view process) {
  for (const GatewayProcess* gateway : parts_.gateways) {
    if (gateway->name() == process) PlanTakeover(*gateway);
  }
}

// A gateway that does not answer is replaced by the other one, which cannot know whether it still lives.
void Nemesis::PlanTakeover(const Process& from) {
  for (GatewayProcess* silent : parts_.gateways) {
    if (silent != &from) continue;
    for (GatewayProcess* other : parts_.gateways) {
      if (other == silent || other->up()) continue;
      parts_.world.After(parts_.scenario.processes.takeover, [this, other] {
        if (!active_ || other->up()) return;
        ++counts_.takeovers;
        other->TellOfItself("takes over");
        other->Start();
      });
    }
  }
}

void Nemesis::FillDisk() {
  Random& random = parts_.world.random();
  Disk& disk = *disks_[random.Draw(disks_.size())];
  ++counts_.full_disks;
  disk.SetSpace(random.Chance(500) ? Space::kLow : Space::kNone);
  parts_.world.After(random.Between(milliseconds(1), parts_.scenario.storage.full_most),
                     [&disk] { disk.SetSpace(Space::kEnough); });
}

void Nemesis::JumpClock() {
  ++counts_.clock_jumps;
  const Duration most = parts_.scenario.clocks.jump_most;
  const Duration by = clock_random_.Between(-most, most);
  Process& process = Pick(clock_random_);
  process.clock().Jump(by);
  process.TellOfItself("has its wall clock moved by " + std::to_string(by / milliseconds(1)) + " ms");
}

}  // namespace strife::sim
