// How a payment's way is shown.
#pragma once

#include <string>

#include "cli/output.h"
#include "cli/trace_story.h"

namespace strife::cli {

std::string TraceText(const TraceSources& sources);
Json TraceJson(const TraceSources& sources);

}  // namespace strife::cli
