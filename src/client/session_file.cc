#include "client/session_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/private_directory.h"
#include "base/text.h"
#include "security/secure_file.h"
#include "security/strict_json.h"

namespace strife::client {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t ToUnixMicroseconds(WallTime time) { return time.time_since_epoch().count(); }

Result<WallTime> ReadTime(const security::JsonFields& fields, std::string_view key) {
  constexpr std::int64_t kLastMicrosecond = 253'402'300'799'999'999;  // of the year 9999
  const auto time = fields.Integer(key, 0, kLastMicrosecond);
  if (!time) return std::unexpected(time.error());
  return WallTime(Duration(*time));
}

Result<protocol::AccountRef> ReadAccount(const nlohmann::json& value, const std::string& source) {
  const auto fields = security::JsonFields::Of(value, source, {"bank_id", "account_id"});
  if (!fields) return std::unexpected(fields.error());
  const auto bank = fields->String("bank_id");
  const auto account = fields->String("account_id");
  if (!bank || !account) return std::unexpected(bank ? account.error() : bank.error());
  return protocol::AccountRef{*bank, *account};
}

Result<Session> ReadSession(std::string_view text, const std::string& source) {
  const auto json = security::ParseStrictJson(text, source);
  if (!json) return std::unexpected(json.error());
  const auto fields = security::JsonFields::Of(*json, source,
                                               {"gateway", "username", "access_token", "access_expires_at_unix_us",
                                                "refresh_token", "refresh_expires_at_unix_us", "accounts"});
  if (!fields) return std::unexpected(fields.error());
  Session session;
  for (const auto& [key, field] :
       {std::pair("gateway", &session.gateway), std::pair("username", &session.username),
        std::pair("access_token", &session.access_token), std::pair("refresh_token", &session.refresh_token)}) {
    auto value = fields->String(key);
    if (!value) return std::unexpected(value.error());
    if (!IsPrintableUtf8(*value)) return fields->Wrong("holds control characters");
    *field = *std::move(value);
  }
  const auto access_expires_at = ReadTime(*fields, "access_expires_at_unix_us");
  const auto refresh_expires_at = ReadTime(*fields, "refresh_expires_at_unix_us");
  if (!access_expires_at || !refresh_expires_at) return fields->Wrong("has a time that is none");
  session.access_expires_at = *access_expires_at;
  session.refresh_expires_at = *refresh_expires_at;
  const auto accounts = fields->Array("accounts");
  if (!accounts) return std::unexpected(accounts.error());
  for (const nlohmann::json& value : **accounts) {
    auto account = ReadAccount(value, source);
    if (!account) return std::unexpected(account.error());
    session.accounts.push_back(*std::move(account));
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
  auto session = ReadSession(*content, file().string());
  if (session) return session;
  return Fail(ErrorCode::kInvalidInput, session.error().message + ": it is damaged; run strife login USER");
}

Status SessionFile::Save(const Session& session) const {
  if (auto made = MakePrivateDirectory(data_dir_); !made) return made;
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
  if (auto made = MakePrivateDirectory(data_dir_); !made) return std::unexpected(made.error());
  return FileLock::Acquire(data_dir_ / "session.lock");
}

}  // namespace strife::client
