// Client channels the way Strife wants them: bounded messages, dead connections noticed, quick to come back.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

#include "security/certificate.h"
#include "security/credentials.h"

namespace strife::rpc {

// What all channels have in common: each is connected by itself, calls are made once, and a name may have any number of
// addresses.
grpc::ChannelArguments CommonArguments();

// `credentials` and `expected` as in ChannelTls. `index` keeps channels to one address apart, each with a connection of
// its own.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address, const security::Credentials& credentials,
                                           const security::Identity& expected, int index = 0);

}  // namespace strife::rpc
