// How what is in doubt is shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "protocol/coordinator_messages.h"
#include "protocol/heuristic.h"

namespace strife::cli {

// What one server has said, or why it has not.
struct GatewayInDoubt {
  std::optional<Error> error;
  protocol::ListOpenAnswer answer;
};
struct BankInDoubt {
  std::string bank_id;
  std::optional<Error> error;
  protocol::InDoubtAnswer answer;
};

Json InDoubtJson(const GatewayInDoubt& gateway, const std::vector<BankInDoubt>& banks, WallTime now);
std::string InDoubtText(const GatewayInDoubt& gateway, const std::vector<BankInDoubt>& banks, WallTime now);

Json HeuristicJson(const protocol::HeuristicRecord& record);
// One sentence: what has been done, and what is left to do.
std::string HeuristicText(const protocol::HeuristicRecord& record);

}  // namespace strife::cli
