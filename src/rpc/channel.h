// Client channels the way Strife wants them: bounded messages, dead connections noticed, quick to come back.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "security/certificate.h"
#include "security/credentials.h"

namespace strife::rpc {

// `credentials` and `expected` as in ChannelTls. `index` keeps channels to one address apart, each with a connection of
// its own.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address, const security::Credentials& credentials,
                                           const security::Identity& expected, int index = 0);

}  // namespace strife::rpc
