#include "sim/process.h"

#include <algorithm>

namespace strife::sim {

void Process::Start() {
  if (up_) return;
  up_ = true;
  ++parts_.counts.starts;
  clock_.Restart(parts_.world.random());
  TellOfItself("starts");
  OnStart();
}

void Process::Crash(std::string_view why) {
  if (!up_) return;
  TellOfItself("dies: " + std::string(why));
  ++parts_.counts.crashes;
  up_ = paused_ = false;
  ++run_;
  waiting_.clear();
  OnCrash();
  PlanRestart();
}

void Process::PlanRestart() {
  const Scenario::Processes& faults = parts_.scenario.processes;
  const Duration most = std::max(faults.restart_least, faults.restart_most);
  const Duration delay = parts_.world.random().Between(faults.restart_least, most);
  parts_.world.After(delay, [this] { Start(); });
}

void Process::Pause() {
  if (!up_ || paused_) return;
  paused_ = true;
  ++parts_.counts.pauses;
  TellOfItself("is stopped");
}

void Process::Resume() {
  if (!paused_) return;
  paused_ = false;
  TellOfItself("goes on");
  while (!waiting_.empty() && !paused_) {
    Event event = std::move(waiting_.front());
    waiting_.pop_front();
    event();
  }
}

void Process::Arrive(Event event) {
  if (!up_) return;
  if (paused_) {
    waiting_.push_back(std::move(event));
  } else {
    event();
  }
}

void Process::After(Duration delay, Event event) {
  parts_.world.After(delay, [this, run = run_, event = std::move(event)]() mutable {
    if (run == run_) Arrive(std::move(event));
  });
}

Fate Process::At(EffectKind kind) {
  const EffectPoint point{name_, ++points_, kind};
  ++parts_.counts.effect_points;
  parts_.world.trace().Mix(points_ << 8 ^ number_ << 2 ^ static_cast<std::uint64_t>(kind));
  const Fate fate = parts_.fates ? parts_.fates(point) : Fate::kGoOn;
  if (fate == Fate::kPause) Pause();
  return fate;
}

}  // namespace strife::sim
