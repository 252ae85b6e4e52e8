// The gateway process.
#pragma once

#include <functional>

#include "base/result.h"
#include "gateway/config.h"

namespace strife::gateway {

// Recovers, serves, and returns when SIGTERM or SIGINT has come and the payments under way have been answered. SIGHUP
// reads users.json, the token keys and the revocation list again, takes the log level of `reread()`
// and reopens the logs. An error says why it did not start. Call from the main thread before any
// other thread exists. When the store fails while serving, the process ends at once with exit status 1: nothing that is
// not on disk may be told to anybody.
Status RunGateway(const GatewayConfig& config, const std::function<Result<GatewayConfig>()>& reread);

}  // namespace strife::gateway
