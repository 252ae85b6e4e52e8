// Directories that hold accounts or secrets.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace strife {

// Makes the directory, which nobody but its owner may enter from the first moment on; its parents as the umask has it.
// Fine when it is there: who made it has said who may enter. kStorage when it cannot be made, or is something else.
Status MakePrivateDirectory(const std::filesystem::path& directory);

}  // namespace strife
