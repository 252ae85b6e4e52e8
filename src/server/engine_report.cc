#include "server/engine_report.h"

#include <unistd.h>

namespace strife::server {

void EngineReport::Write(Logger& log, const runtime::EngineStats& stats) {
  const std::uint64_t cycles = stats.cycles.load(std::memory_order_relaxed);
  const std::uint64_t inputs = stats.inputs.load(std::memory_order_relaxed);
  const std::uint64_t new_cycles = cycles - cycles_;
  const std::uint64_t new_inputs = inputs - inputs_;
  cycles_ = cycles;
  inputs_ = inputs;
  if (new_cycles == 0 || !log.Enabled(LogLevel::kInfo)) return;
  LogLine line("engine");
  line.Add("batches", new_cycles).Add("inputs", new_inputs);
  line.Add("mean_batch", (new_inputs + new_cycles / 2) / new_cycles);
  line.Add("largest_batch_ever", stats.largest_batch.load(std::memory_order_relaxed));
  log.Write(LogLevel::kInfo, line);
}

void DieOfStorage(LogDirectory& logs, Logger& log, const Error& error) {
  log.Write(LogLevel::kCritical, LogLine(error.code == ErrorCode::kFenced ? "fenced" : "storage_failed")
                                     .Add("why", error.message)
                                     .Add("what", "the process ends; start it again when the cause is gone"));
  logs.Flush();
  _exit(1);
}

}  // namespace strife::server
