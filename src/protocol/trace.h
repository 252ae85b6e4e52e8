// Trace: the way of one payment through one process, step by step with times; kept with the payment's record.
//
// For explaining only: nothing decides on it, and a trace may lack its latest steps after a crash. Its bytes are
// written with records that are written anyway (docs/decisions/0011-traces.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "protocol/trace_context.h"
#include "protocol/types.h"

namespace strife::protocol {

// Values are stored: never renumber.
enum class StepKind : std::uint8_t {
  kReceived = 1,  // the order reached the gateway
  kRecorded = 2,  // put on record (rule 2) … durable
  // Commands. At the gateway: sent … answered, `outcome` absent when no answer came. At a bank: arrived … recorded.
  kPrepare = 3,
  kCommit = 4,
  kAbort = 5,
  kDecidedCommit = 6,  // … durable
  kDecidedAbort = 7,   // … durable
  kLate = 8,           // the transaction timeout has passed after the decision to commit … durable
  kCompleted = 9,      // every bank has acknowledged … durable
  kReplied = 10,       // the client has been answered
  kAskedAgain = 11,    // the same payment came again from the client
  kInquiry = 12,       // at the gateway: the bank asked for the decision; at a bank: it asked
  kTakenUp = 13,       // a process that was started again took the payment up; a gateway's has `epoch`
  kForced = 14,        // operators of the bank have decided in the gateway's place
  kLeftOut = 15,       // `count` steps that were too many
};
inline constexpr StepKind kLastStepKind = StepKind::kLeftOut;

struct TraceStep {
  StepKind kind = StepKind::kReceived;
  std::uint8_t leg = 0;  // whom it concerns: 1 the payer's bank, 2 the payee's; 0: neither, or this bank itself
  std::optional<CommandOutcome> outcome{};
  std::uint32_t count = 1;  // how often; `at` is then the beginning of the first and `until` the end of the last
  std::uint64_t epoch = 0;  // the gateway's, where it matters
  WallTime at{};
  std::optional<WallTime> until{};

  bool operator==(const TraceStep&) const = default;
};

class Trace {
 public:
  // Of a step that repeats one since the last kTakenUp only the count goes up. When there are limits::kMaxTraceSteps,
  // the middle is left out: how it began and how it ended stay.
  void Add(const TraceStep& step);
  // The last step since kTakenUp that goes on record was durable at that time, unless its end is known.
  void Durable(WallTime at);

  // `base` is when the record was made: times are kept relative to it. Fewer bytes than `ordinary_bytes` are filled up,
  // so that those of an ordinary payment are of one size from its first record to its last and rows stay where they
  // are.
  std::string Encode(WallTime base, std::size_t ordinary_bytes) const;
  // nullopt when it makes no sense.
  static std::optional<Trace> Decode(std::string_view bytes, WallTime base);
  // The context alone.
  static std::optional<TraceContext> ContextOf(std::string_view bytes);

  bool operator==(const Trace&) const = default;

  std::optional<TraceContext> context;  // as it came from the client; at a bank, from the gateway
  std::vector<TraceStep> steps;         // in the order in which they were noted
};

// Enough for a payment without incident.
inline constexpr std::size_t kGatewayTraceBytes = 80;
inline constexpr std::size_t kBankTraceBytes = 24;

// For the store: the bytes of one payment or transaction.
struct TraceRecord {
  Uuid id;
  std::string bytes;

  bool operator==(const TraceRecord&) const = default;
};

}  // namespace strife::protocol
