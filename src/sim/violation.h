// What a simulation found to be wrong, as data, and the story of how it came to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "invariant/violation.h"

namespace strife::sim {

// Names of what the simulator checks beyond the invariants in src/invariant/violation.h.
inline constexpr std::string_view kDurableBeforeSend = "durable-before-send";  // rule 1
inline constexpr std::string_view kTermination = "termination";                // nothing stays open
inline constexpr std::string_view kProtocol = "protocol";    // a process reports that the other side broke the protocol
inline constexpr std::string_view kAssertion = "assertion";  // STRIFE_ASSERT failed

struct Violation {
  Duration at{};  // simulated time
  invariant::Violation what;
};

// One thing that happened.
struct StoryLine {
  Duration at{};
  std::string process;
  std::string event;
  bool about_transaction = false;  // else about the process itself
};

}  // namespace strife::sim
