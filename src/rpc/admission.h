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
#include "rpc/peer_limits.h"
#include "rpc/server.h"
#include "security/live_credentials.h"
#include "security/policy.h"

namespace strife::rpc {

struct AdmissionOptions {
  const security::LiveCredentials* credentials = nullptr;  // whom to believe, as it is at each call
  // Checks an access token. Unset: the server has no methods that need one.
  std::function<ApiResult<security::AccessTokenClaims>(std::string_view token, const security::Certificate&)>
      check_token;
  CallStats* stats = nullptr;           // where calls are counted
  PeerLimits* limits = nullptr;         // how much callers may do; never null
  RefusalSink refused{};                // where refused calls are told
  security::OperatorNames operators{};  // whose calls to take
};

// Thread-safe.
class Admission {
 public:
  Admission(AdmissionOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}

  // `policy`: the method's row, null when it has none. `bytes`: of the request.
  ApiResult<Caller> Admit(const grpc::CallbackServerContext& context, const security::MethodPolicy* policy,
                          std::size_t bytes);

  PeerLimits& limits() { return *options_.limits; }

  // Tells of a call that was refused to `actor`, or to whoever the connection's certificate says when it is empty.
  // Failures that refuse nobody anything are left out.
  void NoteRefused(const grpc::CallbackServerContext& context, std::string_view method, std::string actor,
                   const ApiError& error) const;

  // Where the method's calls are counted; null when they are not.
  MethodStats* StatsOf(const security::MethodPolicy* policy) {
    return options_.stats == nullptr || policy == nullptr ? nullptr : &options_.stats->Of(*policy);
  }

 private:
  // What is known of a peer's certificate: the verdict of `trust`, good until `until`.
  struct Verdict {
    std::shared_ptr<const security::Trust> trust;
    WallTime until;
    std::string others_pem;  // what was shown besides the leaf: a resumed TLS session does not show it again
    Result<std::shared_ptr<const security::Certificate>> peer;
  };

  // Verifying takes longer than all other checks together, and certificates are few: the verdict is remembered by the
  // certificate's text, until the trust changes or something in the chain ends.
  Result<std::shared_ptr<const security::Certificate>> Verify(const grpc::AuthContext& auth, WallTime now);

  const AdmissionOptions options_;
  Clock& clock_;
  std::shared_mutex mutex_;
  std::unordered_map<std::string, Verdict> verdicts_;  // guarded by mutex_
};

// "user/alice" when there is a token, else "client/client".
std::string ActorOf(const Caller& caller);

// "127.0.0.1:40312" out of gRPC's "ipv4:127.0.0.1:40312".
std::string PeerAddress(const grpc::ServerContextBase& context);

// "client/alice" out of the name in the certificate of the connection, which the TLS handshake has checked and nobody
// else; "none" when there is no such name.
std::string CertificateOf(const grpc::ServerContextBase& context);
// The same out of the name itself; "none" when it is empty.
std::string CertificateOf(std::string_view uri);

}  // namespace strife::rpc
