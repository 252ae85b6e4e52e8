// A payment the gateway still has to do something about.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/time.h"
#include "protocol/trace.h"
#include "protocol/types.h"

namespace strife::protocol {

// The command that belongs to a payment's state.
inline CommandKind PhaseOf(PaymentState state) {
  switch (state) {
    case PaymentState::kInitiated:
      return CommandKind::kPrepare;
    case PaymentState::kAborted:
      return CommandKind::kAbort;
    case PaymentState::kCommitting:
    case PaymentState::kPartialCommit:
    case PaymentState::kCompleted:
      break;
  }
  return CommandKind::kCommit;
}

struct OpenPayment {
  // One bank's part. Two for a payment between banks, one within a bank (rule 12).
  struct Leg {
    std::string bank_id;
    bool answered = false;       // voted YES while the payment is undecided; acknowledged afterwards
    bool holds_nothing = false;  // voted NO or was never asked: an abort need not be delivered
    bool in_transport = false;   // the command of the current phase is on its way
    bool unreachable = false;    // the last delivery failed
    bool mixed = false;          // has said that its operators decided the other way (rule 14)
    std::uint32_t attempts = 0;  // failed deliveries in this phase
    std::optional<MonotonicTime> retry_at;
    WallTime sent_at{};  // when the command in transport was handed over
  };

  explicit OpenPayment(PaymentRecord of) : record(std::move(of)) {
    legs[leg_count++].bank_id = record.order.from.bank_id;
    if (record.order.to.bank_id != record.order.from.bank_id) legs[leg_count++].bank_id = record.order.to.bank_id;
  }

  std::span<Leg> all_legs() { return std::span(legs).first(leg_count); }
  bool AllAnswered() { return std::ranges::all_of(all_legs(), &Leg::answered); }

  PaymentRecord record;
  std::array<Leg, 2> legs;
  std::size_t leg_count = 0;
  ReplyTo reply_to;
  Trace trace;
  std::optional<MonotonicTime> deadline;  // of the phase; none once it has passed or while an abort is delivered
};

}  // namespace strife::protocol
