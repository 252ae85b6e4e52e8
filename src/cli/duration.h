// Durations and times as people write them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "runtime/system_clock.h"

namespace strife::cli {

// A whole number and a unit: "300ms", "5s", "5m", "24h", "7d", also "us". Not negative.
Result<Duration> ParseDuration(std::string_view text);

// A UTC date or time, "2026-03-01", "2026-03-01T12:30:00Z", or a duration, which means that long before `now`.
Result<WallTime> ParseTime(std::string_view text, WallTime now);

// "2026-03-01T12:30:00.123Z".
std::string FormatTime(WallTime time);

using runtime::WallNow;

}  // namespace strife::cli
