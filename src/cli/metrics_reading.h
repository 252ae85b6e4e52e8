// Reads a server's metrics, as Prometheus would.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace strife::cli {

// The values of one reading: `name{label="value",…}` to number.
class MetricsReading {
 public:
  // What is no line of a value is passed over.
  static MetricsReading Parse(std::string_view text);

  // 0 when there is none.
  double Value(const std::string& name) const;
  // Of all with this name, whatever their labels.
  double Sum(std::string_view name) const;
  // The values of `label` among those of `name`, in order.
  std::vector<std::string> Labels(std::string_view name, std::string_view label) const;

 private:
  std::map<std::string, double, std::less<>> values_;
};

// GET http://<address>/metrics; `address` is IP:port. kUnavailable with the reason. Waits at most `timeout` for each
// step.
Result<MetricsReading> ReadMetrics(const std::string& address, Duration timeout);

}  // namespace strife::cli
