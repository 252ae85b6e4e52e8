// How payments, errors and accounts are shown and read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"
#include "cli/table.h"
#include "protocol/types.h"
#include "rpc/gateway_client.h"

namespace strife::cli {

// "INITIATED", …: protocol::StateName as a string.
std::string StateText(protocol::PaymentState state);
// Either case.
std::optional<protocol::PaymentState> ParseStateName(std::string_view name);

// "bank1/alice".
std::string AccountText(const protocol::AccountRef& account);
// kInvalidInput unless it is BANK/ACCOUNT.
Result<protocol::AccountRef> ParseAccount(std::string_view text);
Json AccountJson(const protocol::AccountRef& account);
Json AccountsJson(const std::vector<protocol::AccountRef>& accounts);

Json PaymentJson(const protocol::PaymentRecord& payment);
std::string PaymentText(const protocol::PaymentRecord& payment);
Table PaymentTable(const std::vector<protocol::PaymentRecord>& payments);

// The exit status that tells how the payment stands: done, failed, or not known yet.
int ExitFor(protocol::PaymentState state);

// What became of a payment whose call failed: "NOT_SENT", "UNKNOWN", "REFUSED".
std::string DeliveryName(rpc::Delivery delivery);

}  // namespace strife::cli
