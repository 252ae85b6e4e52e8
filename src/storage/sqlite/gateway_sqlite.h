// The gateway's store in one SQLite file.
#pragma once

#include <filesystem>
#include <memory>

#include "env/gateway_store.h"

namespace strife {

// Opens the file for the gateway's engine, making it (mode 0600) when it is not there. No lock is taken: a gateway that
// hangs can be replaced, and OpenIncarnation fences it off. kStorage: damaged or unwritable; kInvalidInput: not a
// gateway database, or made by a newer Strife.
Result<std::unique_ptr<GatewayStore>> OpenGatewayStore(const std::filesystem::path& file);

// Opens an existing file for reading, with as many connections as calls are made at once.
Result<std::unique_ptr<GatewayReader>> OpenGatewayReader(const std::filesystem::path& file);

}  // namespace strife
