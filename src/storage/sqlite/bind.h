// Values of the core as SQLite's parameters.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "protocol/trace.h"
#include "storage/sqlite/row.h"
#include "storage/sqlite/sqlite.h"

namespace strife::sqlite {

inline std::int64_t Micros(WallTime time) { return time.time_since_epoch().count(); }
inline std::int64_t Signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

inline void BindOptional(Statement& statement, int index, const std::optional<WallTime>& time) {
  if (time) {
    statement.Bind(index, Micros(*time));
  } else {
    statement.BindNull(index);
  }
}

// NULL, which leaves a trace as it is, when there is none.
inline void BindTrace(Statement& statement, int index, const protocol::TraceRecord* trace) {
  if (trace != nullptr) {
    statement.Bind(index, BytesOf(trace->bytes));
  } else {
    statement.BindNull(index);
  }
}

}  // namespace strife::sqlite
