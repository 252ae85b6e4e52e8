// The gRPC side of rpc/server.h.
#pragma once

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rpc/admission.h"
#include "rpc/door.h"
#include "rpc/open_calls.h"
#include "rpc/server.h"

namespace strife::rpc {

struct ServedService {
  std::unique_ptr<grpc::Service> service;
  std::string name;  // the full one, such as "strife.v1.Bank"
};

// Owns the services and the server that runs them.
class Listener final : public Server {
 public:
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, std::vector<ServedService> services,
                                               Clock& clock);
  ~Listener() override;

  void SetServing(bool serving) override;
  void Shutdown(Duration grace) override;

 private:
  Listener(const ServerOptions& options, std::vector<ServedService> services, Clock& clock);

  const std::vector<ServedService> services_;
  OpenCalls calls_;
  std::shared_ptr<grpc::ServerCredentials> tls_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Door> door_;  // after the server it lets people in to: its thread stops first
};

AdmissionOptions AdmissionFor(const ServerOptions& options);

}  // namespace strife::rpc
