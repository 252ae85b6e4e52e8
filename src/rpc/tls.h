// Mutual TLS for servers and channels. There is no other transport.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "security/certificate.h"
#include "security/live_credentials.h"

namespace strife::rpc {

// Why a call may not begin; `why` is a literal.
struct BeginRefusal {
  grpc::StatusCode code;
  const char* why;
};
using Begins = std::function<std::optional<BeginRefusal>(std::string_view uri, std::string_view method)>;

// Requires a client certificate that chains to a CA of the bundle. Each new connection is made with the credentials as
// they are then. `begins` is asked about each call when its headers have come, long before the call can be admitted,
// with the URI name in the peer's certificate and the method; what it refuses is refused. Thread-safe. All of these and
// what is returned must outlive the server.
std::shared_ptr<grpc::ServerCredentials> ServerTls(const security::LiveCredentials& credentials, Begins begins);

// Presents the certificate and talks only to a server that security::AdmitServer takes for `expected`, whatever its
// host name: in Strife the identity is the name. Of these credentials for good: new ones want a new channel.
std::shared_ptr<grpc::ChannelCredentials> ChannelTls(const security::Credentials& credentials,
                                                     security::Identity expected);

}  // namespace strife::rpc
