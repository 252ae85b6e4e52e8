// Runs an engine on a thread of its own until it is stopped or its store fails.
#pragma once

#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "env/clock.h"
#include "runtime/engine.h"
#include "runtime/engine_stats.h"
#include "runtime/inbox.h"

namespace strife::runtime {

template <typename Machine, typename Store>
class EngineThread {
 public:
  using Input = typename Machine::Input;
  using Effects = typename Machine::Effects;

  // `deliver` sends what a cycle has made durable; `failed` is told once when the store fails, after which nothing more
  // is delivered. Both run on the engine's thread, but for `failed` within Start. Everything passed by reference must
  // outlive this object, and so must what `gathering` points to.
  EngineThread(Machine& machine, Store& store, Clock& clock, std::size_t inbox_capacity,
               std::function<void(Effects)> deliver, std::function<void(const Error&)> failed, Gathering gathering = {})
      : machine_(machine),
        engine_(machine, store, &stats_),
        clock_(clock),
        inbox_(inbox_capacity, gathering),
        deliver_(std::move(deliver)),
        failed_(std::move(failed)) {}

  ~EngineThread() { Stop(); }

  // Starts with effects from the machine's recovery: they are durable when it returns, and delivered before anything
  // else.
  void Start(std::optional<Effects> recovered = std::nullopt) {
    if (recovered) {
      Result<Effects> durable = engine_.CommitFirst(*std::move(recovered));
      if (!durable) return StoreFailed(durable.error());
      recovered = *std::move(durable);
    }
    thread_ = std::thread([this, recovered = std::move(recovered)]() mutable {
      pthread_setname_np(pthread_self(), "engine");
      if (recovered) deliver_(*std::move(recovered));
      Run();
    });
  }

  // Handles what has been pushed, then ends. Idempotent.
  void Stop() {
    inbox_.Close();
    if (thread_.joinable()) thread_.join();
  }

  Inbox<Input>& inbox() { return inbox_; }
  const EngineStats& stats() const { return stats_; }
  // When the cycle began that is being delivered. For `deliver`, on the engine's thread.
  MonotonicTime cycle_began() const { return cycle_began_; }

 private:
  void Run() {
    for (;;) {
      std::vector<Input> inputs = NextInputs();
      // Not `closed`: something may have been pushed between a drain that had come to its deadline and the closing.
      if (inputs.empty() && inbox_.ended()) return;
      Count(inputs.size());
      const Stopwatch watch(stats_.cycle);
      const Now now = clock_.Read();
      cycle_began_ = now.monotonic;
      Result<Effects> effects = engine_.Cycle(now, std::move(inputs));
      if (!effects) return StoreFailed(effects.error());
      deliver_(*std::move(effects));
    }
  }

  std::vector<Input> NextInputs() {
    std::optional<MonotonicTime> deadline = engine_.NextDeadline();
    std::size_t max_new = SIZE_MAX;
    if constexpr (requires { machine_.RoomAt(MonotonicTime()); }) {
      const auto room = machine_.RoomAt(clock_.Read().monotonic);
      max_new = room.count;
      if (room.more_at && (!deadline || *room.more_at < *deadline)) deadline = room.more_at;
    }
    return inbox_.Drain(limits::kMaxInputsPerCycle, deadline, max_new);
  }

  void StoreFailed(const Error& error) {
    inbox_.Close();
    failed_(error);
  }

  void Count(std::uint64_t batch) {
    if (batch == 0) return;
    stats_.cycles.fetch_add(1, std::memory_order_relaxed);
    stats_.inputs.fetch_add(batch, std::memory_order_relaxed);
    stats_.batch_inputs.Add(batch);
    if (batch > stats_.largest_batch.load(std::memory_order_relaxed)) {
      stats_.largest_batch.store(batch, std::memory_order_relaxed);
    }
  }

  Machine& machine_;
  EngineStats stats_;
  Engine<Machine, Store> engine_;
  MonotonicTime cycle_began_{};
  Clock& clock_;
  Inbox<Input> inbox_;
  std::function<void(Effects)> deliver_;
  std::function<void(const Error&)> failed_;
  std::thread thread_;
};

}  // namespace strife::runtime
