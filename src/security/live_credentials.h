// LiveCredentials: a process's credentials, read again while it runs.
//
// Whoever dials or is dialled takes `current()` for each new connection and compares it with the one it has used last;
// so new files take hold without a restart, and nothing in flight is touched. What is wrong with a new file is said,
// and the old one stays. Identity (certificate and key) and trust (CAs and lists) are taken separately: a broken
// certificate does not keep a revocation out.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "security/credentials.h"

namespace strife::security {

// Thread-safe.
class LiveCredentials {
 public:
  // What a look at the files has come to.
  struct Outcome {
    bool changed = false;               // current() is another one
    std::vector<std::string> problems;  // what was not taken, and why; each said once, until the file changes again
  };

  // As LoadCredentials.
  static Result<std::unique_ptr<LiveCredentials>> Open(CredentialFiles files, Role role, WallTime now);

  std::shared_ptr<const Credentials> current() const { return current_.load(); }
  const CredentialFiles& files() const { return files_; }
  // Who the process is; never changes.
  const Identity& identity() const { return identity_; }

  // Takes the files if they have changed and have not been changing since the last call (a renewal replaces one after
  // the other). Also makes current() another one when a list has grown stale, so that connections are made again and
  // refused. Cheap; meant to be called every half second or so.
  Outcome Poll(WallTime now);
  // Takes the files now, changed or not.
  Outcome Reload(WallTime now);

 private:
  LiveCredentials(CredentialFiles files, Role role, Credentials credentials);
  std::string Look() const;
  Outcome Take(WallTime now);
  void Complain(std::string problem, Outcome* outcome);

  const CredentialFiles files_;
  const Role role_;
  const Identity identity_;
  std::atomic<std::shared_ptr<const Credentials>> current_;

  std::mutex mutex_;                     // guards the rest
  std::string taken_;                    // how the files looked when they were last taken
  std::string seen_;                     // at the last look
  bool stale_ = false;                   // current() has been renewed because of a stale list
  bool failed_ = false;                  // the files as they are were not taken in full
  WallTime retry_at_;                    // when to try them again all the same
  std::vector<std::string> complaints_;  // already made about the files as they are
};

}  // namespace strife::security
