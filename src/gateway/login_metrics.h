// What the gateway counts about logins and sessions.
#pragma once

#include <string_view>

#include "observability/metrics.h"
#include "server/label_counts.h"

namespace strife::gateway {

// Thread-safe.
struct LoginMetrics {
  static constexpr std::string_view kResults[] = {"ok",           "UNAUTHENTICATED", "OVERLOADED",
                                                  "RATE_LIMITED", "STORAGE_FULL",    "DRAINING"};

  server::LabelCounts logins{kResults};
  server::LabelCounts refreshes{kResults};
  server::LabelCounts logouts{kResults};

  void Collect(MetricWriter& writer) const {
    const auto write = [&](std::string_view name, std::string_view help, const server::LabelCounts& counts) {
      counts.Each([&](std::string_view result, const Counter& count) {
        writer.Count(name, help, {{"result", result}}, count);
      });
    };
    write("strife_logins_total", "Logins, by what came of them.", logins);
    write("strife_session_refreshes_total", "Sessions taken up again with a refresh token.", refreshes);
    write("strife_logouts_total", "Logouts.", logouts);
  }
};

}  // namespace strife::gateway
