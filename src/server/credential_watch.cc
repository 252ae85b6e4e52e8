#include "server/credential_watch.h"

#include "security/encoding.h"

namespace strife::server {
namespace {

constexpr Duration kWarningInterval = std::chrono::hours(24);

}  // namespace

Status CredentialWatch::Open(const security::CredentialFiles& files, security::Role role, WallTime now) {
  auto live = security::LiveCredentials::Open(files, role, now);
  if (!live) return std::unexpected(live.error());
  live_ = *std::move(live);
  told_ = live_->current();
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
    if (desk_ != nullptr) desk_->Note(protocol::AuditEvent::kReloadFailed, "credentials", problem);
  }
  if (!outcome.changed) return;
  const auto current = live_->current();
  log.Write(LogLevel::kInfo, LogLine("credentials_taken")
                                 .Add("identity", current->certificate.identity.Uri())
                                 .Add("serial", current->certificate.serial));
  if (desk_ != nullptr) Tell(*told_, *current);
  told_ = current;
  Warn(now, log);
}

void CredentialWatch::Tell(const security::Credentials& before, const security::Credentials& now) {
  const security::Certificate& certificate = now.certificate;
  if (certificate.thumbprint != before.certificate.thumbprint) {
    desk_->Note(protocol::AuditEvent::kCertificatesLoaded, certificate.identity.Uri(),
                "serial=" + certificate.serial + " sha256=" + security::HexEncode(certificate.thumbprint));
  }
  if (!now.trust->IsSameAs(*before.trust)) {
    desk_->Note(protocol::AuditEvent::kRevocationListLoaded, live_->files().crl_file.filename().string(),
                "CAs and revocation lists, sha256=" + security::HexEncode(security::Sha256Of(now.trust->ca_pem())) +
                    " of the bundle");
  }
}

void CredentialWatch::Warn(Now now, Logger& log) {
  next_warning_ = now.monotonic + kWarningInterval;
  for (const std::string& sentence : security::EndingSoon(*live_->current(), live_->files(), now.wall)) {
    log.Write(LogLevel::kWarning, LogLine("ends_soon").Add("what", sentence));
  }
}

}  // namespace strife::server
