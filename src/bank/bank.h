// The bank process.
#pragma once

#include <functional>

#include "bank/config.h"
#include "base/result.h"

namespace strife::bank {

// Recovers, opens the accounts of the opening data, serves, registers with the gateway and keeps asking it about
// undecided transactions; returns when SIGTERM or SIGINT has come and the commands under way have been answered. SIGHUP
// reads the revocation list again, takes the log level of `reread()` and reopens the logs. Otherwise as
// gateway::RunGateway.
Status RunBank(const BankConfig& config, const std::function<Result<BankConfig>()>& reread);

}  // namespace strife::bank
