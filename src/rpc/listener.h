// Listener: a running server: the door, the transport behind it, and the services that are called.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http2/server.h"
#include "rpc/door.h"
#include "rpc/health_server.h"
#include "rpc/serve.h"
#include "rpc/server.h"

namespace strife::rpc {

class Listener final : public Server, private http2::Handler {
 public:
  // The first service is what the server is there for.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                               std::vector<std::unique_ptr<ServedService>> services, Clock& clock);
  ~Listener() override;

  void SetServing(bool serving) override;
  void Shutdown(Duration grace) override;

 private:
  Listener(const ServerOptions& options, std::vector<std::unique_ptr<ServedService>> services, Clock& clock);

  std::optional<http2::CallStatus> Begins(const http2::Call& call) override;
  void Arrived(std::shared_ptr<http2::Call> call) override;
  void Ended(const http2::Call& call, bool arrived, bool answered) override;
  void Left(const std::string& name, const http2::Descriptor& socket) override;

  PeerLimits& limits_;
  Clock& clock_;
  const std::vector<std::unique_ptr<ServedService>> services_;
  HealthService health_;
  MethodTable methods_;
  std::unique_ptr<http2::Server> transport_;
  std::unique_ptr<Door> door_;  // after the server it lets people in to: its thread stops first
};

AdmissionOptions AdmissionFor(const ServerOptions& options);

}  // namespace strife::rpc
