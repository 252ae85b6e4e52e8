// What gateway and banks say alike about themselves.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "observability/log.h"
#include "observability/metrics.h"
#include "observability/metrics_endpoint.h"
#include "runtime/engine_stats.h"

namespace strife::server {

// `queued`: inputs that wait for the engine's next cycle.
void CollectEngine(MetricWriter& writer, const runtime::EngineStats& stats, std::size_t queued);
void CollectLogs(MetricWriter& writer, const LogDirectory& logs);
// Of the disk `directory` is on.
void CollectDisk(MetricWriter& writer, const std::filesystem::path& directory, bool nearly_full);

// The endpoint as configuration wants it: none, or one that comes up as soon as its port is free. Metrics are not a
// reason to keep payments waiting: a taken port is said in the log and tried again. For one thread.
class MetricsServing {
 public:
  // `listen` empty or "off": no endpoint. kInvalidInput when it is not an address, or one that others can reach without
  // `exposure` being "network".
  static Status Check(const std::string& listen, const std::string& exposure);

  // Everything `collector` refers to must outlive this.
  MetricsServing(std::string listen, MetricCollector collector)
      : listen_(std::move(listen)), collector_(std::move(collector)) {}

  // Starts the endpoint unless it runs.
  void Try(Logger& log);
  // Before what the collector refers to is taken down.
  void Stop() { endpoint_.reset(); }

 private:
  const std::string listen_;
  const MetricCollector collector_;
  std::unique_ptr<MetricsEndpoint> endpoint_;
  bool complained_ = false;
};

}  // namespace strife::server
