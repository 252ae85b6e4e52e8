// The gRPC side of rpc/server.h.
#pragma once

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <utility>

#include "rpc/admission.h"
#include "rpc/server.h"

namespace strife::rpc {

// Owns the service and the server that runs it.
class Listener final : public Server {
 public:
  // `service_name` is the full name, such as "strife.v1.Bank".
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, std::unique_ptr<grpc::Service> service,
                                               std::string service_name);
  ~Listener() override;

  void SetServing(bool serving) override;
  void Shutdown(Duration grace) override;

 private:
  Listener(std::unique_ptr<grpc::Service> service, std::string service_name)
      : service_(std::move(service)), service_name_(std::move(service_name)) {}

  const std::unique_ptr<grpc::Service> service_;
  const std::string service_name_;
  std::unique_ptr<grpc::Server> server_;
};

AdmissionOptions AdmissionFor(const ServerOptions& options);

}  // namespace strife::rpc
