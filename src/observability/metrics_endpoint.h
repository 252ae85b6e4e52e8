// MetricsEndpoint: serves a process's metrics over plain HTTP, GET /metrics, for Prometheus.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "observability/metrics.h"

namespace strife {

// Whether `address` (host:port, as a number) may be served on: without `beyond_loopback` only 127.0.0.0/8 and ::1,
// because everybody who can connect may read. kInvalidInput with what to do otherwise.
Status CheckMetricsAddress(const std::string& address, bool beyond_loopback);

// Serves until it is destroyed, on two threads of its own (prometheus-cpp's, with civetweb as the HTTP server).
class MetricsEndpoint {
 public:
  // kUnavailable when the port is taken. Everything `collector` refers to must outlive the endpoint.
  static Result<std::unique_ptr<MetricsEndpoint>> Start(const std::string& address, MetricCollector collector);
  ~MetricsEndpoint();

 private:
  struct Serving;
  explicit MetricsEndpoint(std::unique_ptr<Serving> serving);

  std::unique_ptr<Serving> serving_;
};

}  // namespace strife
