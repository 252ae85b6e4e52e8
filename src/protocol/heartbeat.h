// How often banks register again. The gateway sets it, and banks take nothing outside these bounds for an answer.
#pragma once

#include "base/time.h"

namespace strife::protocol {

inline constexpr Duration kMinHeartbeatInterval = std::chrono::milliseconds(100);
inline constexpr Duration kMaxHeartbeatInterval = std::chrono::hours(1);

}  // namespace strife::protocol
