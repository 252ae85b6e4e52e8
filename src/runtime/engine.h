// The engine: the one place where "durable before send" is written (protocol rule 1).
//
// A cycle takes everything that has arrived, loads the rows it needs in one go, lets the machine step, commits all
// records in one durable transaction and only then hands out messages and answers. Under load the batches grow by
// themselves: while one commit is on its way to the disk, the next inputs gather.
//
// Machine is a pure state machine with
//   types   Input, Keys, Rows, Effects (with a member `records` that has empty())
//   CollectKeys(const Input&, Keys&) const
//   Step(const Now&, std::vector<Input>, Rows) -> Effects
//   NextDeadline() const -> std::optional<MonotonicTime>
// and, if it bounds new work (runtime/inbox.h),
//   RoomAt(MonotonicTime now) -> {count, more_at}: how much it wants now; when at the latest more, if that is none
// and Store has Load(const Keys&) -> Result<Rows> and Commit(records) -> Status.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "protocol/defect.h"
#include "runtime/engine_stats.h"

namespace strife::runtime {

// Not thread-safe: one thread runs it, or the simulator does.
template <typename Machine, typename Store>
class Engine {
 public:
  using Input = typename Machine::Input;
  using Effects = typename Machine::Effects;

  // All must outlive the engine; without `stats` it reads no clock.
  Engine(Machine& machine, Store& store, EngineStats* stats = nullptr)
      : machine_(machine), store_(store), stats_(stats) {}

  // One cycle. The effects returned are durable and free to be sent; their records are spent. After an error nothing
  // of this cycle may be sent and the engine must not be used again: the machine is ahead of the store (rule 15).
  // NOLINTNEXTLINE(performance-unnecessary-value-param): not every machine consumes them, but most do
  Result<Effects> Cycle(const Now& now, std::vector<Input> inputs) {
    typename Machine::Keys keys{};
    for (const Input& input : inputs) machine_.CollectKeys(input, keys);
    auto rows = store_.Load(keys);
    if (!rows) return std::unexpected(rows.error());
    return CommitFirst(machine_.Step(now, std::move(inputs), *std::move(rows)));
  }

  // Makes effects that did not come from a cycle (recovery) durable, on the same terms.
  Result<Effects> CommitFirst(Effects effects) {
    if (!effects.records.empty()) {
      std::optional<Stopwatch> watch;
      if (stats_ != nullptr) watch.emplace(stats_->commit);
      Status committed = store_.Commit(effects.records);
      if (!committed && !Mutated(protocol::Defect::kSendBeforeDurable)) return std::unexpected(committed.error());
    }
    return effects;
  }

  std::optional<MonotonicTime> NextDeadline() const { return machine_.NextDeadline(); }

 private:
  Machine& machine_;
  Store& store_;
  EngineStats* const stats_;
};

}  // namespace strife::runtime
