// Proving the books of a local network, and showing the result.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/network.h"
#include "cli/output.h"
#include "verify/report.h"

namespace strife::cli {

// Reads the databases of the network's servers, which may be running or not.
// Shows how far it has come on standard error when that is a terminal and `show_progress` is set.
Result<verify::Report> VerifyBooks(const std::vector<NetworkServer>& servers, bool show_progress);

Json ReportJson(const verify::Report& report);
std::string ReportText(const verify::Report& report);
// One line: "the books are right: …" or "the books are wrong: …".
std::string ReportVerdict(const verify::Report& report);

}  // namespace strife::cli
