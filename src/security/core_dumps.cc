#include "security/core_dumps.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/assert.h"

namespace strife::security {

void ForbidCoreDumps() {
  // The limit alone does not hold for a program that the kernel pipes cores to; being not dumpable does. Both only give
  // something up, which the kernel always allows.
  const rlimit none{0, 0};
  STRIFE_ASSERT(setrlimit(RLIMIT_CORE, &none) == 0);
  STRIFE_ASSERT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
}

}  // namespace strife::security
