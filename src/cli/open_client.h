// Opening the client for a command.
#pragma once

#include <memory>

#include "base/result.h"
#include "cli/configs.h"
#include "client/client.h"

namespace strife::cli {

// The client as the command's settings say; it tells on standard error when it tries again.
Result<std::unique_ptr<client::Client>> OpenClient(ClientOptions& options);

}  // namespace strife::cli
