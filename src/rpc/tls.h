// Mutual TLS for channels. There is no other transport.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>

#include "security/certificate.h"
#include "security/credentials.h"

namespace strife::rpc {

// Presents the certificate and talks only to a server that security::AdmitServer takes for `expected`, whatever its
// host name: in Strife the identity is the name. Of these credentials for good: new ones want a new channel.
std::shared_ptr<grpc::ChannelCredentials> ChannelTls(const security::Credentials& credentials,
                                                     security::Identity expected);

}  // namespace strife::rpc
