// Admission: the one mandatory gate every call passes before its handler runs.
//
// It answers: who is the peer (certificate), may that role call this method (policy), is the token good. It sits in the
// wrapper all handlers go through (rpc/serve.h), which also tells it how each call was answered.
#pragma once

#include <google/protobuf/message_lite.h>

#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "env/clock.h"
#include "http2/call.h"
#include "rpc/api.h"
#include "rpc/call_log.h"
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
  CallLog log{};                        // where calls are noted
  PeerLimits* limits = nullptr;         // how much callers may do; never null
  RefusalSink refused{};                // where refused calls are told
  security::OperatorNames operators{};  // whose calls to take
};

// Thread-safe.
class Admission {
 public:
  Admission(AdmissionOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}

  // `policy`: the method's row, null when it has none.
  ApiResult<Caller> Admit(const http2::Call& call, const security::MethodPolicy* policy);

  PeerLimits& limits() { return *options_.limits; }

  // The call is answered: with `response`, or by being refused to `actor`, or to whoever the connection's certificate
  // says when it is empty.
  void Answered(const http2::Call& call, const security::MethodPolicy* policy,
                const google::protobuf::MessageLite& request, const google::protobuf::MessageLite& response) const;
  void Refused(const http2::Call& call, const security::MethodPolicy* policy, const std::string& actor,
               const ApiError& error, const google::protobuf::MessageLite* request) const;

  // For the audit log: a call, or a part of it, was refused. Failures that refuse nobody anything are left out.
  void NoteRefused(const http2::Call& call, std::string actor, const ApiError& error) const;

 private:
  // What is known of a peer's certificate: the verdict of `trust`, good until `until`.
  struct Verdict {
    std::shared_ptr<const security::Trust> trust;
    WallTime until;
    Result<std::shared_ptr<const security::Certificate>> certificate;
  };

  // Verifying takes longer than all other checks together, and certificates are few: the verdict is remembered by the
  // certificate's text, until the trust changes or something in the chain ends.
  Result<std::shared_ptr<const security::Certificate>> Verify(const http2::Peer& peer, WallTime now);

  const AdmissionOptions options_;
  Clock& clock_;
  std::shared_mutex mutex_;
  std::unordered_map<std::string, Verdict> verdicts_;  // guarded by mutex_
};

// "user/alice" when there is a token, else "client/client".
std::string ActorOf(const Caller& caller);

}  // namespace strife::rpc
