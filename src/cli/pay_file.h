// Pays a file of payments.
#pragma once

#include <filesystem>

#include "cli/output.h"
#include "client/client.h"

namespace strife::cli {

// Runs the file (see payments_file.h), prints a summary, returns the exit status: done when every payment is completed,
// unknown outcome when one may still take effect, failed otherwise.
int PayFile(client::Client& client, const std::filesystem::path& file, OutputFormat output);

}  // namespace strife::cli
