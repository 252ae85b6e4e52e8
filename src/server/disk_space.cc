#include "server/disk_space.h"

#include <string>
#include <system_error>

namespace strife::server {

void DiskSpace::Look(Logger& log) {
  std::error_code error;
  const auto space = std::filesystem::space(directory_, error);
  if (error) return;  // a disk that cannot even be asked fails its next commit, and says why
  const bool low = space.available < reserved_bytes_;
  if (low == low_.exchange(low)) return;
  LogLine line(low ? "disk_nearly_full" : "disk_has_room");
  line.Add("folder", directory_.string()).Add("free_bytes", space.available).Add("reserved_bytes", reserved_bytes_);
  line.Add("what",
           low ? "new work is refused and what was promised goes on; free some space" : "new work is taken again");
  log.Write(low ? LogLevel::kCritical : LogLevel::kInfo, line);
}

}  // namespace strife::server
