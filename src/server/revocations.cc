#include "server/revocations.h"

#include <utility>

namespace strife::server {

Status Revocations::Open(std::filesystem::path crl_file, std::filesystem::path ca_file, WallTime now) {
  crl_file_ = std::move(crl_file);
  ca_file_ = std::move(ca_file);
  return Reload(now);
}

Status Revocations::Reload(WallTime now) {
  if (crl_file_.empty()) return {};
  auto list = security::RevocationList::Load(crl_file_, ca_file_, now);
  if (!list) return std::unexpected(list.error());
  list_.store(std::make_shared<const security::RevocationList>(*std::move(list)));
  return {};
}

}  // namespace strife::server
