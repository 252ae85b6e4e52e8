// Words for stories.
#pragma once

#include <optional>
#include <string>

#include "protocol/coordinator.h"
#include "protocol/participant.h"
#include "sim/network.h"

namespace strife::sim {

std::string Describe(const protocol::PaymentOrder& order);
std::string Describe(const protocol::PaymentRecord& payment);
std::string Describe(const protocol::BankTransactionRecord& transaction);
std::string Describe(const protocol::BankCommand& command);
std::string Describe(const protocol::BankReply& reply);
std::string Describe(const protocol::SubmitAnswer& answer);
std::string Describe(std::optional<protocol::Decision> decision);
// What became of a message that was sent: empty when it is on its way, or as " (lost)".
std::string Describe(SendResult result);

}  // namespace strife::sim
