// Delivers the queue in front of a person.
#pragma once

#include <stop_token>
#include <string>

#include "cli/output.h"
#include "client/config.h"
#include "client/queue.h"

namespace strife::cli {

// Delivers what waits in the queue of `user`, tells how each payment ends, and returns the exit status. Ends when
// nothing waits any more, when `stop` is requested, and, unless it is to `wait`, when the gateway cannot be reached or
// the session has ended.
int FlushQueue(const client::ClientConfig& config, client::Queue& queue, const std::string& user, bool wait,
               OutputFormat output, const std::stop_token& stop);

}  // namespace strife::cli
