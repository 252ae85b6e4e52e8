#include "server/credential_watch.h"

namespace strife::server {
namespace {

constexpr Duration kWarningInterval = std::chrono::hours(24);

}  // namespace

Status CredentialWatch::Open(const security::CredentialFiles& files, security::Role role, WallTime now) {
  auto live = security::LiveCredentials::Open(files, role, now);
  if (!live) return std::unexpected(live.error());
  live_ = *std::move(live);
  return {};
}

void CredentialWatch::Tick(Now now, Logger& log) {
  Report(live_->Poll(now.wall), now, log);
  if (now.monotonic >= next_warning_) Warn(now, log);
}

void CredentialWatch::Reload(Now now, Logger& log) { Report(live_->Reload(now.wall), now, log); }

void CredentialWatch::Report(const security::LiveCredentials::Outcome& outcome, Now now, Logger& log) {
  for (const std::string& problem : outcome.problems) {
    log.Write(LogLevel::kCritical, LogLine("credentials_refused").Add("why", problem).Add("now", "the old ones stay"));
  }
  if (!outcome.changed) return;
  const auto current = live_->current();
  log.Write(LogLevel::kInfo, LogLine("credentials_taken")
                                 .Add("identity", current->certificate.identity.Uri())
                                 .Add("serial", current->certificate.serial));
  Warn(now, log);
}

void CredentialWatch::Warn(Now now, Logger& log) {
  next_warning_ = now.monotonic + kWarningInterval;
  for (const std::string& sentence : security::EndingSoon(*live_->current(), live_->files(), now.wall)) {
    log.Write(LogLevel::kWarning, LogLine("ends_soon").Add("what", sentence));
  }
}

}  // namespace strife::server
