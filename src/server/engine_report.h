// Engine figures for the log, and the end of a process whose store has failed.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "observability/log.h"
#include "runtime/engine_stats.h"

namespace strife::server {

// Writes what an engine has done since the last time, when it has done anything.
class EngineReport {
 public:
  void Write(Logger& log, const runtime::EngineStats& stats);

 private:
  std::uint64_t cycles_ = 0;
  std::uint64_t inputs_ = 0;
};

// Ends the process with exit status 1, without another word to anybody but the log and stderr: after a failed commit
// nothing the process remembers can be trusted to be on disk (rule 15).
[[noreturn]] void DieOfStorage(LogDirectory& logs, Logger& log, const Error& error);

}  // namespace strife::server
