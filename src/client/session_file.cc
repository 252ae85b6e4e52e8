#include "client/session_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "security/secure_file.h"

namespace strife::client {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t ToUnixMicroseconds(WallTime time) { return time.time_since_epoch().count(); }

Session FromJson(const Json& json) {
  Session session{.gateway = json.at("gateway"),
                  .username = json.at("username"),
                  .access_token = json.at("access_token"),
                  .access_expires_at = WallTime(Duration(json.at("access_expires_at_unix_us").get<std::int64_t>())),
                  .refresh_token = json.at("refresh_token"),
                  .refresh_expires_at = WallTime(Duration(json.at("refresh_expires_at_unix_us").get<std::int64_t>())),
                  .accounts = {}};
  for (const Json& account : json.at("accounts")) {
    session.accounts.push_back({account.at("bank_id"), account.at("account_id")});
  }
  return session;
}

}  // namespace

Result<Session> SessionFile::Load() const {
  auto content = security::ReadFile(file());
  if (!content && content.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kUnauthenticated, "nobody is logged in; run strife login USER");
  }
  if (content) {
    if (auto own = security::CheckKeyFile(file()); !own) return std::unexpected(own.error());
  }
  if (!content) return std::unexpected(content.error());
  try {
    return FromJson(Json::parse(*content));
  } catch (const Json::exception&) {  // its text would quote the file, and so the tokens
    return Fail(ErrorCode::kInvalidInput, file().string() + " is damaged; run strife login USER");
  }
}

Status SessionFile::Save(const Session& session) const {
  if (auto made = MakeFolder(); !made) return made;
  Json accounts = Json::array();
  for (const auto& account : session.accounts) {
    accounts.push_back({{"bank_id", account.bank_id}, {"account_id", account.account_id}});
  }
  Json json = {{"gateway", session.gateway},
               {"username", session.username},
               {"access_token", session.access_token},
               {"access_expires_at_unix_us", ToUnixMicroseconds(session.access_expires_at)},
               {"refresh_token", session.refresh_token},
               {"refresh_expires_at_unix_us", ToUnixMicroseconds(session.refresh_expires_at)},
               {"accounts", accounts}};
  std::string content = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return security::WriteFile(file(), content, security::kPrivateMode, security::Existing::kReplace);
}

Status SessionFile::Remove() const {
  if (::unlink(file().c_str()) == 0 || errno == ENOENT) return {};
  return Fail(ErrorCode::kStorage, "cannot remove " + file().string() + ": " + std::strerror(errno));
}

Result<FileLock> SessionFile::Lock() const {
  if (auto made = MakeFolder(); !made) return std::unexpected(made.error());
  return FileLock::Acquire(data_dir_ / "session.lock");
}

Status SessionFile::MakeFolder() const {
  std::error_code error;
  if (std::filesystem::is_directory(data_dir_, error)) return {};
  if (data_dir_.has_parent_path()) std::filesystem::create_directories(data_dir_.parent_path(), error);
  if (::mkdir(data_dir_.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return Fail(ErrorCode::kStorage, "cannot create the folder " + data_dir_.string() + ": " + std::strerror(errno));
}

}  // namespace strife::client
