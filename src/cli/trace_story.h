// A payment's way in words: one sentence that says what became of it and why, and one line for each step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/outbox_types.h"
#include "rpc/payment_trace.h"

namespace strife::cli {

// What is known of a payment: from the gateway, from this client's queue, or from both. At least one of them is there.
struct TraceSources {
  std::optional<rpc::PaymentTrace> trace;
  std::optional<protocol::OutboxItem> queued;
};

struct TraceLine {
  WallTime at;
  std::optional<WallTime> until;
  std::string party;  // "client", "gateway" or a bank's id
  std::string event;  // as in the API without its prefix, or "QUEUED" and the like of the queue
  std::string what;   // for a person
  protocol::TraceStep step;
};

// By time; the clocks are those of the machines each party runs on.
std::vector<TraceLine> TraceLines(const TraceSources& sources);

// "Declined by bank2 (AM04 insufficient funds); nothing was moved."
std::string Explanation(const TraceSources& sources);

// "340 us", "4.2 ms", "12.03 s", "3 min 20 s", "1 h 2 min".
std::string SpanText(Duration span);

}  // namespace strife::cli
