// Node: a server process, which is an engine with its machine and store, driven in simulated time.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "runtime/engine.h"
#include "sim/process.h"
#include "sim/storage.h"

namespace strife::sim {

// Derived gives Boot(), which fills store_ and machine_, and Sends().
template <typename Machine, typename Store>
class Node : public Process {
 public:
  using Input = typename Machine::Input;
  using Effects = typename Machine::Effects;
  using Sending = std::vector<std::function<void()>>;

  Node(Parts& parts, std::size_t number, std::string name, Disk& disk)
      : Process(parts, number, std::move(name)), disk_(disk) {}

  // REQUIRES: up.
  const Machine& machine() const { return *machine_; }
  // Up, and has dealt with all that has arrived.
  bool idle() const { return up() && !busy_ && inbox_.empty(); }

 protected:
  // What recovery wants to have done, or the disk's error.
  virtual Result<Effects> Boot() = 0;
  // The messages of a cycle, in order.
  virtual Sending Sends(Effects effects) = 0;
  virtual void Forget() = 0;
  // The store was taken over by another process.
  virtual void OnFenced() {}
  // The machine's deadline has come.
  virtual void OnAlarm() { Wake(); }

  void Push(Input input) {
    inbox_.push_back(std::move(input));
    Wake();
  }

  void Wake() {
    if (std::exchange(busy_, true)) return;
    After(Duration(0), [this] { BeginCycle(); });
  }

  Disk& disk_;
  std::unique_ptr<Store> store_;
  std::optional<Machine> machine_;

 private:
  void OnStart() final {
    busy_ = true;
    Result<Effects> recovered = Boot();
    if (!recovered) return Die(recovered.error());
    engine_.emplace(*machine_, *store_);
    Finish(engine_->CommitFirst(*std::move(recovered)));
  }

  void OnCrash() final {
    engine_.reset();
    inbox_.clear();
    sends_.clear();
    alarm_.reset();
    busy_ = false;
    Forget();
  }

  // Takes what has arrived; the commit is on its way to the disk until EndCycle, while more arrives.
  void BeginCycle() {
    std::vector<Input> inputs;
    if (inbox_.size() <= limits::kMaxInputsPerCycle) {
      inputs = std::exchange(inbox_, {});
    } else {
      const auto end = inbox_.begin() + static_cast<std::ptrdiff_t>(limits::kMaxInputsPerCycle);
      inputs.assign(std::make_move_iterator(inbox_.begin()), std::make_move_iterator(end));
      inbox_.erase(inbox_.begin(), end);
    }
    const Duration time = disk_.CommitTime();
    After(time,
          [this, at = now(), inputs = std::move(inputs)]() mutable { Finish(engine_->Cycle(at, std::move(inputs))); });
  }

  void Finish(Result<Effects> effects) {
    if (!effects) return Die(effects.error());
    sends_ = Sends(*std::move(effects));
    next_send_ = 0;
    SendRest();
  }

  // One message after the other: the process may die or be stopped before each.
  void SendRest() {
    while (next_send_ < sends_.size()) {
      if (paused()) return Arrive([this] { SendRest(); });
      const Fate fate = At(EffectKind::kSend);
      if (fate == Fate::kCrash) return Crash("killed before a send");
      if (fate == Fate::kPause) {
        return Arrive([this] {
          sends_[next_send_++]();
          SendRest();
        });
      }
      sends_[next_send_++]();
    }
    sends_.clear();
    if (At(EffectKind::kCycleEnds) == Fate::kCrash) return Crash("killed after its sends");
    busy_ = false;
    if (inbox_.empty()) {
      SetAlarm();
    } else {
      Wake();
    }
  }

  void SetAlarm() {
    const auto deadline = engine_->NextDeadline();
    if (!deadline || (alarm_ && *alarm_ <= *deadline)) return;
    alarm_ = deadline;
    After(std::max(Duration(0), clock().Until(*deadline, parts_.world.now())), [this, at = *deadline] {
      if (alarm_ != at) return;  // another one was set since
      alarm_.reset();
      if (busy_) return;
      const auto due = engine_->NextDeadline();
      if (due && *due <= now().monotonic) {
        OnAlarm();
      } else {
        SetAlarm();
      }
    });
  }

  void Die(const Error& error) {
    if (error.code == ErrorCode::kInternal) {
      parts_.checkers.Report(kProtocol, {}, name(), "the store of " + name() + " refused records: " + error.message);
    }
    const bool fenced = error.code == ErrorCode::kFenced;
    if (fenced) OnFenced();
    Crash(error.message);
  }

  std::optional<runtime::Engine<Machine, Store>> engine_;
  std::vector<Input> inbox_;
  Sending sends_;
  std::size_t next_send_ = 0;
  std::optional<MonotonicTime> alarm_;
  bool busy_ = false;  // a cycle is planned or under way
};

}  // namespace strife::sim
