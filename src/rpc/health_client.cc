#include "rpc/health_client.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <future>

#include "base/text.h"
#include "rpc/channel.h"
#include "rpc/tls.h"

namespace strife::rpc {
namespace {

// HealthCheckResponse with status = SERVING, field 1 as a varint.
constexpr std::string_view kServing = "\x08\x01";

std::string Flatten(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const auto& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

}  // namespace

Status CheckHealth(const std::string& endpoint, const security::Credentials& credentials,
                   const security::Identity& expected, Duration timeout) {
  auto channel = grpc::CreateCustomChannel(endpoint, ChannelTls(credentials, expected), CommonArguments());
  grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  grpc::Slice empty;  // HealthCheckRequest for the server as a whole
  grpc::ByteBuffer request(&empty, 1), response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  grpc::Status status = done.get_future().get();
  if (!status.ok()) return Fail(ErrorCode::kUnavailable, Sanitize(status.error_message(), 512));
  if (Flatten(response) != kServing) return Fail(ErrorCode::kUnavailable, "it says that it is not serving");
  return {};
}

}  // namespace strife::rpc
