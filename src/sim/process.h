// Process: something that runs on a machine of its own and can die, be started again, be stopped and go on.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "sim/clock.h"
#include "sim/effect_point.h"
#include "sim/parts.h"
#include "sim/world.h"

namespace strife::sim {

class Process {
 public:
  // `number` is that of the network.
  Process(Parts& parts, std::size_t number, std::string name)
      : parts_(parts), number_(number), name_(std::move(name)) {}
  virtual ~Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const std::string& name() const { return name_; }
  std::size_t number() const { return number_; }
  bool up() const { return up_; }
  bool paused() const { return paused_; }
  // Changes with every crash.
  std::uint32_t run() const { return run_; }
  std::uint64_t effect_points() const { return points_; }
  ProcessClock& clock() { return clock_; }
  Now now() const { return clock_.Read(parts_.world.now()); }

  // Does nothing when it is up.
  void Start();
  // What is only in memory is gone. Comes back by itself, see PlanRestart.
  void Crash(std::string_view why);
  // As by SIGSTOP: nothing happens in it until Resume; what reaches it meanwhile waits.
  void Pause();
  void Resume();

  // Something reaches the process; lost when it is down.
  void Arrive(Event event);
  // `event` if the process has not died in between. For answers to what this run has asked.
  template <typename F>
  auto InThisRun(F event) {
    return [this, run = run_, event = std::move(event)](auto&&... arguments) mutable {
      if (run == run_) event(std::forward<decltype(arguments)>(arguments)...);
    };
  }

  // Passes the next effect point. A pause has begun when it returns; what a crash means is the caller's to carry out.
  Fate At(EffectKind kind);

  // For the story: `what` is called for the text only when somebody wants to know it.
  template <typename What>
  void Tell(const Uuid& id, const What& what) {
    Trace& trace = parts_.world.trace();
    if (trace.Follows(id)) trace.Tell({parts_.world.now(), name_, what(), true});
  }
  // About the process itself.
  void TellOfItself(std::string_view what) {
    Trace& trace = parts_.world.trace();
    if (trace.on()) trace.Tell({parts_.world.now(), name_, std::string(what), false});
  }

 protected:
  virtual void OnStart() = 0;
  // Forgets everything.
  virtual void OnCrash() = 0;
  virtual void PlanRestart();

  // In this process and this run.
  void After(Duration delay, Event event);
  SendResult SendTo(const Process& to, std::function<void()> arrive) {
    return parts_.network.Send(number_, to.number_, std::move(arrive));
  }

  Parts& parts_;

 private:
  const std::size_t number_;
  const std::string name_;
  ProcessClock clock_;
  bool up_ = false;
  bool paused_ = false;
  std::uint32_t run_ = 0;
  std::uint64_t points_ = 0;
  std::deque<Event> waiting_;  // what happened during a pause
};

}  // namespace strife::sim
