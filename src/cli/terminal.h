// What people type.
#pragma once

#include <string>

#include "base/result.h"

namespace strife::cli {

// A password: the first line of `file` if one is named, else from the terminal with the prompt and without echo, else
// the first line of standard input. With `twice`, a person at a terminal types it again to be sure.
Result<std::string> ReadPassword(const std::string& file, const std::string& prompt, bool twice);

}  // namespace strife::cli
