// Mutual TLS for servers and channels. There is no other transport.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "security/certificate.h"
#include "security/live_credentials.h"

namespace strife::rpc {

// Requires a client certificate that chains to a CA of the bundle. Each new connection is made with the credentials as
// they are then. Both they and what is returned must outlive the server.
std::shared_ptr<grpc::ServerCredentials> ServerTls(const security::LiveCredentials& credentials);

// Presents the certificate and talks only to a server that security::AdmitServer takes for `expected`, whatever its
// host name: in Strife the identity is the name. Of these credentials for good: new ones want a new channel.
std::shared_ptr<grpc::ChannelCredentials> ChannelTls(std::shared_ptr<const security::Credentials> credentials,
                                                     security::Identity expected);

}  // namespace strife::rpc
