// A process of the cluster: an engine with its machine and store, that can be killed at every point and started again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cluster/world.h"
#include "runtime/engine.h"
#include "storage/memory/commit_fault.h"

namespace strife::cluster {

// Derived gives Boot(), which fills store and machine and returns recovery's effects, and Sends(Effects), the messages
// of a cycle in order.
template <typename Machine, typename Store, typename Disk>
class Node {
 public:
  using Input = typename Machine::Input;
  using Effects = typename Machine::Effects;
  using Sending = std::vector<std::function<void()>>;

  Node(World& world, std::shared_ptr<Disk> disk) : world_(world), disk_(std::move(disk)) {}
  virtual ~Node() = default;

  void Start() {
    if (up()) return;
    inbox_.clear();
    Effects recovered = Boot();
    engine_.emplace(*machine_, *store_);
    Finish([&] { return engine_->CommitFirst(std::move(recovered)); });
  }

  void Push(Input input) {
    if (!up()) return;
    inbox_.push_back(std::move(input));
    if (std::exchange(cycle_planned_, true)) return;
    const int run = run_;
    world_.After(world_.DrawDuration(milliseconds(5)), [this, run] { CycleIfStill(run); });
  }

  void Crash() {
    engine_.reset();
    ++run_;
    cycle_planned_ = false;
    Stopped();
    world_.After(world_.DrawDuration(seconds(3)), [this] { Start(); });
  }

  bool up() const { return engine_.has_value(); }
  int run() const { return run_; }
  Machine& machine() { return *machine_; }

 protected:
  virtual Effects Boot() = 0;
  virtual Sending Sends(Effects effects) = 0;
  virtual void Stopped() = 0;

  World& world_;
  std::shared_ptr<Disk> disk_;
  std::unique_ptr<Store> store_;
  std::optional<Machine> machine_;

 private:
  void CycleIfStill(int run) {
    if (run != run_ || !up()) return;
    cycle_planned_ = false;
    Finish([&] { return engine_->Cycle(world_.now(), std::exchange(inbox_, {})); });
  }

  // Commits and sends, or dies: before the commit, after it, between two sends, or as a process that is stopped with
  // everything still to send and wakes up when another one has taken its place.
  void Finish(const std::function<Result<Effects>()>& commit) {
    const bool dies = world_.Chance(world_.faults.crash);
    const std::uint64_t how = dies ? world_.Draw(4) : 4;
    disk_->FailCommit(how < 2 ? 1 : 0, how == 0 ? CommitFault::kBeforeEffect : CommitFault::kAfterEffect);
    Result<Effects> effects = commit();
    disk_->FailCommit(0, CommitFault::kBeforeEffect);
    if (!effects) return Crash();
    Sending sends = Sends(*std::move(effects));
    const std::size_t sent = how == 2 ? world_.Draw(sends.size() + 1) : how == 3 ? 0 : sends.size();
    for (std::size_t i = 0; i < sent; ++i) sends[i]();
    if (how == 3) {
      for (auto& late : sends) world_.After(world_.DrawDuration(seconds(15)), std::move(late));
    }
    if (dies) return Crash();
    PlanWakeUp();
  }

  void PlanWakeUp() {
    const auto deadline = engine_->NextDeadline();
    if (!deadline) return;
    const int run = run_;
    const Duration wait = std::max(Duration(0), *deadline - world_.now().monotonic);
    world_.After(wait, [this, run] {
      if (run != run_ || !up() || cycle_planned_) return;
      const auto due = engine_->NextDeadline();
      if (due && *due <= world_.now().monotonic) CycleIfStill(run);
    });
  }

  std::optional<runtime::Engine<Machine, Store>> engine_;
  std::vector<Input> inbox_;
  bool cycle_planned_ = false;
  int run_ = 0;
};

}  // namespace strife::cluster
