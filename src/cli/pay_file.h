// Pays a file of payments.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "cli/output.h"
#include "client/client.h"

namespace strife::cli {

// Runs the file (see payments_file.h), prints a summary, returns the exit status: done when every payment is completed,
// unknown outcome when one may still take effect, failed otherwise.
// `confirm`, if set, is asked once the file has been found right. When `stop` is requested it ends
// with everything recorded; whoever requests it cancels the client too.
int PayFile(client::Client& client, const std::filesystem::path& file, OutputFormat output,
            const std::function<bool(const std::string& question)>& confirm, const std::stop_token& stop);

}  // namespace strife::cli
