// How long to wait before trying again: exponential, capped, and spread so that many waiters do not come back at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"
#include "base/uuid.h"

namespace strife::protocol {

struct Backoff {
  Duration first;
  Duration cap;

  // `attempt` counts failed tries from 1. The spread of ±25 % comes from the id, not from a random number, so that the
  // core stays a function of its inputs.
  Duration Delay(const Uuid& id, std::uint32_t attempt) const {
    const std::uint32_t doublings = std::min<std::uint32_t>(attempt > 0 ? attempt - 1 : 0, 20);
    const Duration delay = std::min(cap, first * (std::int64_t{1} << doublings));
    const auto mixed = (std::hash<Uuid>{}(id) + attempt) * 0x9e3779b97f4a7c15ull;
    const auto permille = static_cast<std::int64_t>(750 + (mixed >> 40) % 501);
    return delay * permille / 1000;
  }
};

}  // namespace strife::protocol
