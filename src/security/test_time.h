#pragma once

#include <cstdint>

namespace strife::security {

// 2026-01-01T00:00:00Z, the time at which most tests play.
inline constexpr std::int64_t kTestUnixSeconds = 1'767'225'600;

}  // namespace strife::security
