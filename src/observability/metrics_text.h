// The metrics of a process as a Prometheus collectable.
#pragma once

#include <prometheus/collectable.h>

#include <mutex>

#include "observability/metrics.h"

namespace strife {

// Thread-safe.
class MetricFamilies final : public prometheus::Collectable {
 public:
  explicit MetricFamilies(MetricCollector collector) : collector_(std::move(collector)) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const MetricCollector collector_;
  mutable std::mutex one_at_a_time_;
};

}  // namespace strife
