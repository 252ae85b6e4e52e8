// Keeps what is in memory (passwords, tokens, keys) out of files.
#pragma once

namespace strife::security {

// From now on this process leaves no core dump, whether the system writes those itself or has a program collect them,
// and other processes of the same user can neither read its memory nor its environment.
void ForbidCoreDumps();

}  // namespace strife::security
