// Mutual TLS for servers and channels. There is no other transport.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "security/certificate.h"
#include "security/credentials.h"

namespace strife::rpc {

// Requires a client certificate that chains to the CA bundle. The files are watched: a new certificate, key or bundle
// takes hold for new connections within seconds, without a restart.
std::shared_ptr<grpc::ServerCredentials> ServerTls(const security::CredentialFiles& files);

// Presents the certificate and talks only to a server whose certificate chains to the CA bundle and is `expected`,
// whatever its host name: in Strife the identity is the name. An empty `expected.name` accepts any name of that role.
std::shared_ptr<grpc::ChannelCredentials> ChannelTls(const security::CredentialFiles& files,
                                                     security::Identity expected);

}  // namespace strife::rpc
