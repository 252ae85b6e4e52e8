#include "rpc/channel.h"

#include <grpcpp/create_channel.h>

#include <utility>

#include "base/limits.h"
#include "rpc/grpc_setup.h"
#include "rpc/tls.h"

namespace strife::rpc {

grpc::ChannelArguments CommonArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(limits::kMaxMessageBytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(limits::kMaxMessageBytes));
  // Strife retries by itself, with the same transaction id and with the limits it has been told.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // A new channel is a new attempt to connect, not the backoff of the one before.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  // gRPC's default, "pick_first", can stop trying for good (seen with 1.51): a name with two addresses is resolved
  // again while the first is being tried, and when that fails nobody goes on to the second. Nor does this one wait at
  // an address that does not answer while another does.
  arguments.SetLoadBalancingPolicyName("round_robin");
  return arguments;
}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address, const security::Credentials& credentials,
                                           const security::Identity& expected, int index) {
  SetUpGrpc();
  grpc::ChannelArguments arguments = CommonArguments();
  // In spite of its name: how long one attempt to connect may take. TCP and TLS need several round trips, and a link
  // may be slow; less than that and it would never be connected.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // A lost connection is only made again after the name has been resolved again, for which gRPC takes its time: 30 s.
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  // Notices a peer that is gone without a word, while calls are open. Not more often than servers allow.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt("strife.channel_index", index);
  return grpc::CreateCustomChannel(address, ChannelTls(credentials, expected), arguments);
}

}  // namespace strife::rpc
