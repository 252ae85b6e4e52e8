#include "rpc/call_stats.h"

#include "rpc/code_name.h"

namespace strife::rpc {

void CallStats::Collect(MetricWriter& writer) const {
  for (const security::MethodPolicy& policy : security::PolicyTable()) {
    const MethodStats& stats = methods_[static_cast<std::size_t>(&policy - security::PolicyTable().data())];
    const auto slash = policy.method.rfind('/');
    const std::string_view service = policy.method.substr(1, slash - 1), method = policy.method.substr(slash + 1);
    bool called = false;
    for (std::size_t code = 0; code < MethodStats::kCodes; ++code) {
      if (stats.ended[code].value() == 0) continue;
      called = true;
      writer.Count("strife_rpc_requests_total", "Calls answered, by status.",
                   {{"service", service}, {"method", method}, {"code", CodeName(code)}}, stats.ended[code]);
    }
    if (!called) continue;
    writer.Latencies("strife_rpc_duration_seconds", "From a call's arrival to its answer.",
                     {{"service", service}, {"method", method}}, stats.duration);
  }
}

}  // namespace strife::rpc
