#include "security/live_credentials.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace strife::security {
namespace {

// What was refused is tried again now and then: a certificate that was not valid yet becomes so.
constexpr Duration kRetryInterval = std::chrono::seconds(10);

bool IsSame(const Credentials& a, const Credentials& b) {
  return a.certificate_pem == b.certificate_pem && a.key_pem == b.key_pem && a.trust->IsSameAs(*b.trust);
}

}  // namespace

LiveCredentials::LiveCredentials(CredentialFiles files, Role role, Credentials credentials)
    : files_(std::move(files)),
      role_(role),
      identity_(credentials.certificate.identity),
      current_(std::make_shared<const Credentials>(std::move(credentials))) {}

Result<std::unique_ptr<LiveCredentials>> LiveCredentials::Open(CredentialFiles files, Role role, WallTime now) {
  auto credentials = LoadCredentials(files, role, now);
  if (!credentials) return std::unexpected(credentials.error());
  std::unique_ptr<LiveCredentials> live(new LiveCredentials(std::move(files), role, *std::move(credentials)));
  live->taken_ = live->seen_ = live->Look();
  return live;
}

// Which files they are and when they were written. A file that is replaced is another inode, one that is written in
// place has another time.
std::string LiveCredentials::Look() const {
  std::string look;
  for (const auto& file : {files_.ca_file, files_.crl_file, files_.cert_file, files_.key_file}) {
    struct stat info{};
    if (file.empty() || ::stat(file.c_str(), &info) != 0) {
      look += "-;";
      continue;
    }
    for (const auto number :
         {static_cast<long long>(info.st_ino), static_cast<long long>(info.st_size),
          static_cast<long long>(info.st_mtim.tv_sec), static_cast<long long>(info.st_mtim.tv_nsec),
          static_cast<long long>(info.st_ctim.tv_sec), static_cast<long long>(info.st_ctim.tv_nsec)}) {
      look += std::to_string(number) + ",";
    }
    look += ';';
  }
  return look;
}

LiveCredentials::Outcome LiveCredentials::Poll(WallTime now) {
  const std::scoped_lock lock(mutex_);
  const std::string look = Look();
  const bool settled = look == std::exchange(seen_, look);
  if (settled && (look != taken_ || (failed_ && now >= retry_at_))) return Take(now);
  Outcome outcome;
  const auto credentials = current();
  if (!stale_ && now >= credentials->trust->stale_at()) {
    stale_ = true;
    current_.store(std::make_shared<const Credentials>(*credentials));
    outcome.changed = true;
    Complain("a revocation list in " + files_.crl_file.string() +
                 " has grown stale, so nobody is let in and nobody dialled; have the CA sign it anew (strife pki crl)",
             &outcome);
  }
  return outcome;
}

LiveCredentials::Outcome LiveCredentials::Reload(WallTime now) {
  const std::scoped_lock lock(mutex_);
  seen_ = Look();
  complaints_.clear();
  return Take(now);
}

LiveCredentials::Outcome LiveCredentials::Take(WallTime now) {
  if (taken_ != seen_) complaints_.clear();
  taken_ = seen_;
  failed_ = false;
  retry_at_ = now + kRetryInterval;
  Outcome outcome;
  const auto old = current();
  Credentials next = *old;
  if (auto trust = Trust::Load(files_.ca_file, files_.crl_file, now)) {
    next.trust = *std::move(trust);
  } else {
    Complain(trust.error().message, &outcome);
  }
  auto loaded = LoadCredentials(files_, role_, next.trust, now);
  if (!loaded && !next.trust->Vouches(old->certificate_pem, old->certificate_pem)) {
    Complain(files_.ca_file.string() + " was not taken: it has no CA of this process's own certificate, " +
                 files_.cert_file.string(),
             &outcome);
    next.trust = old->trust;
    loaded = LoadCredentials(files_, role_, next.trust, now);
  }
  if (loaded && loaded->certificate.identity == identity_) {
    next = *std::move(loaded);
  } else {
    Complain(loaded ? files_.cert_file.string() + " is the certificate of " + loaded->certificate.identity.Uri() +
                          ", but this process is " + identity_.Uri()
                    : loaded.error().message,
             &outcome);
  }
  if (!next.trust->IsSameAs(*old->trust)) stale_ = false;
  if (!IsSame(next, *old)) {
    current_.store(std::make_shared<const Credentials>(std::move(next)));
    outcome.changed = true;
  }
  return outcome;
}

void LiveCredentials::Complain(std::string problem, Outcome* outcome) {
  failed_ = true;
  if (std::ranges::find(complaints_, problem) != complaints_.end()) return;
  complaints_.push_back(problem);
  outcome->problems.push_back(std::move(problem));
}

}  // namespace strife::security
