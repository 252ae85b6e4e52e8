// A server's credentials while it runs: new files taken, what is wrong with them and what ends soon said in its log.
#pragma once

#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "observability/log.h"
#include "security/live_credentials.h"
#include "server/audit_desk.h"

namespace strife::server {

// `credentials()` is for any thread, the rest for one.
class CredentialWatch {
 public:
  // As LiveCredentials::Open. REQUIRES: called once, before all else.
  Status Open(const security::CredentialFiles& files, security::Role role, WallTime now);
  const security::LiveCredentials& credentials() const { return *live_; }

  // Where it is told what was taken and refused, besides the log. Before Tick and Reload.
  void Audit(AuditDesk& desk) { desk_ = &desk; }

  // Looks for new files; meant to be called every half second. Once a day it also says what ends soon.
  void Tick(Now now, Logger& log);
  // Takes the files at once.
  void Reload(Now now, Logger& log);

 private:
  void Report(const security::LiveCredentials::Outcome& outcome, Now now, Logger& log);
  void Warn(Now now, Logger& log);

  void Tell(const security::Credentials& before, const security::Credentials& now);

  std::unique_ptr<security::LiveCredentials> live_;
  std::shared_ptr<const security::Credentials> told_;  // the last of which the audit log knows
  AuditDesk* desk_ = nullptr;
  MonotonicTime next_warning_{};
};

}  // namespace strife::server
