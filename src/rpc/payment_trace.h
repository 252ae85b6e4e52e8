// The way of one payment as the gateway tells it: its own steps, and those of each bank as far as it can be asked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/trace.h"
#include "protocol/types.h"

namespace strife::rpc {

struct BankTrace {
  std::string bank_id;
  std::string problem;                                    // why the bank could not be asked; empty: it answered
  std::optional<protocol::BankTransactionState> state{};  // none: it knows nothing of the transaction
  std::string reason_code{};
  std::vector<protocol::TraceStep> steps{};
};

struct PaymentTrace {
  protocol::PaymentRecord payment;  // `epoch` is not told
  protocol::Trace trace;            // the gateway's
  std::vector<BankTrace> banks;     // the payer's, then the payee's if it is another one
};

}  // namespace strife::rpc
