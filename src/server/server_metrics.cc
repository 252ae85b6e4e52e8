#include "server/server_metrics.h"

#include <system_error>

namespace strife::server {
namespace {

// A variable or flag cannot say "empty".
bool IsOff(const std::string& listen) { return listen.empty() || listen == "off"; }

}  // namespace

void CollectEngine(MetricWriter& writer, const runtime::EngineStats& stats, std::size_t queued) {
  writer.Sizes("strife_engine_batch_inputs", "Inputs that one cycle has carried.", {}, stats.batch_inputs);
  writer.Latencies("strife_engine_cycle_duration_seconds", "From taking inputs to having answered them.", {},
                   stats.cycle);
  writer.Latencies("strife_engine_commit_duration_seconds", "Of durable commits, fsync included.", {}, stats.commit);
  writer.Gauge("strife_engine_queued_inputs", "Inputs waiting for the next cycle.", {}, static_cast<double>(queued));
}

void CollectLogs(MetricWriter& writer, const LogDirectory& logs) {
  writer.Count("strife_log_lines_dropped_total", "Log lines lost because the disk did not keep up or failed.", {},
               static_cast<double>(logs.dropped()));
}

void CollectDisk(MetricWriter& writer, const std::filesystem::path& directory, bool nearly_full) {
  std::error_code error;
  const auto space = std::filesystem::space(directory, error);
  if (!error) {
    writer.Gauge("strife_disk_free_bytes", "Room left on the database's disk.", {},
                 static_cast<double>(space.available));
  }
  writer.Gauge("strife_disk_nearly_full", "1 while new work is refused for want of room.", {}, nearly_full ? 1 : 0);
}

Status MetricsServing::Check(const std::string& listen, const std::string& exposure) {
  return IsOff(listen) ? Status{} : CheckMetricsAddress(listen, exposure == "network");
}

void MetricsServing::Try(Logger& log) {
  if (IsOff(listen_) || endpoint_) return;
  auto started = MetricsEndpoint::Start(listen_, collector_);
  if (started) {
    endpoint_ = *std::move(started);
    log.Write(LogLevel::kInfo, LogLine("metrics_served").Add("listen", listen_));
    return;
  }
  if (complained_) return;
  complained_ = true;
  log.Write(LogLevel::kError, LogLine("metrics_not_served").Add("why", started.error().message));
}

}  // namespace strife::server
