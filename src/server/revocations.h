// The revocation list a server works with, read again while it runs.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "security/revocation.h"

namespace strife::server {

// Thread-safe.
class Revocations {
 public:
  // An empty `crl_file` means that no list is kept; otherwise the file must be there and good.
  Status Open(std::filesystem::path crl_file, std::filesystem::path ca_file, WallTime now);
  // Reads the file again. On failure the list stays as it was; it refuses everybody once it has become stale.
  Status Reload(WallTime now);
  // Null when no list is kept.
  std::shared_ptr<const security::RevocationList> current() const { return list_.load(); }

 private:
  std::filesystem::path crl_file_;
  std::filesystem::path ca_file_;
  std::atomic<std::shared_ptr<const security::RevocationList>> list_;
};

}  // namespace strife::server
