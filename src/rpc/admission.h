// Admission: the one mandatory gate every call passes before its handler runs.
//
// It answers: who is the peer (certificate), may that role call this method (policy), is the token good. gRPC's C++
// interceptors cannot refuse a call, so this sits in the wrapper all handlers go through (rpc/serve.h).
#pragma once

#include <grpcpp/server_context.h>

#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "env/clock.h"
#include "rpc/api.h"
#include "rpc/call_stats.h"
#include "security/policy.h"
#include "security/revocation.h"

namespace strife::rpc {

struct AdmissionOptions {
  std::string trust_domain;
  // The current revocation list; null when none is configured. Called for each call, thread-safe.
  std::function<std::shared_ptr<const security::RevocationList>()> revocations;
  // Checks an access token. Unset: the server has no methods that need one.
  std::function<ApiResult<security::AccessTokenClaims>(std::string_view token, const security::Certificate&)>
      check_token;
  CallStats* stats = nullptr;  // where calls are counted
};

// Thread-safe.
class Admission {
 public:
  Admission(AdmissionOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}

  // `policy`: the method's row, null when it has none.
  ApiResult<Caller> Admit(const grpc::CallbackServerContext& context, const security::MethodPolicy* policy);

  // Where the method's calls are counted; null when they are not.
  MethodStats* StatsOf(const security::MethodPolicy* policy) {
    return options_.stats == nullptr || policy == nullptr ? nullptr : &options_.stats->Of(*policy);
  }

 private:
  // Reading a certificate takes longer than all other checks together, and connections are few: remembered by its text.
  Result<std::shared_ptr<const security::Certificate>> ReadCertificate(std::string_view pem);

  const AdmissionOptions options_;
  Clock& clock_;
  std::shared_mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const security::Certificate>> certificates_;
};

// "127.0.0.1:40312" out of gRPC's "ipv4:127.0.0.1:40312".
std::string PeerAddress(const grpc::ServerContextBase& context);

}  // namespace strife::rpc
