// Callers waiting for an answer from an engine, parked behind the opaque ReplyTo the core gives back exactly once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "protocol/types.h"

namespace strife::runtime {

template <typename Answer>
class Parked {
 public:
  using Callback = std::move_only_function<void(Answer)>;

  // Owned by the returned value until Take; a park that is never taken leaks its callback.
  static protocol::ReplyTo Park(Callback callback) {
    auto* parked = new Callback(std::move(callback));
    return {reinterpret_cast<std::uintptr_t>(parked), 0};
  }

  // Takes the callback back. REQUIRES: parked by this type and not taken before.
  static Callback Take(protocol::ReplyTo reply_to) {
    STRIFE_ASSERT(reply_to.call != 0);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the core keeps it as an opaque number
    const std::unique_ptr<Callback> parked(reinterpret_cast<Callback*>(static_cast<std::uintptr_t>(reply_to.call)));
    return std::move(*parked);
  }
};

}  // namespace strife::runtime
