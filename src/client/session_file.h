// The session a login leaves behind in the client's data directory: session.json, readable by its owner only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "client/file_lock.h"
#include "protocol/types.h"

namespace strife::client {

struct Session {
  std::string gateway;  // host:port that gave the tokens; they are sent nowhere else
  std::string username;
  std::string access_token;  // secret, as is the refresh token
  WallTime access_expires_at;
  std::string refresh_token;
  WallTime refresh_expires_at;
  std::vector<protocol::AccountRef> accounts;

  bool operator==(const Session&) const = default;
};

// A refresh token works once, so whoever uses it holds the lock from reading the file until the new one is written.
class SessionFile {
 public:
  explicit SessionFile(std::filesystem::path data_dir) : data_dir_(std::move(data_dir)) {}

  // kUnauthenticated when nobody is logged in; kPermissionDenied when others may read the file.
  Result<Session> Load() const;
  // Creates the data directory when missing.
  Status Save(const Session& session) const;
  // No error when there is none.
  Status Remove() const;
  // Between processes; waits.
  Result<FileLock> Lock() const;

 private:
  std::filesystem::path file() const { return data_dir_ / "session.json"; }

  std::filesystem::path data_dir_;
};

}  // namespace strife::client
