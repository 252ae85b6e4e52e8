#include "observability/metrics_text.h"

#include <prometheus/metric_family.h>

#include <limits>
#include <unordered_map>
#include <vector>

namespace strife {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// Puts what it is given into families, in the order in which their names first come.
class FamilyWriter final : public MetricWriter {
 public:
  void Count(std::string_view name, std::string_view help, Labels labels, double value) override {
    Add(name, help, labels, MetricType::Counter).counter.value = value;
  }

  void Gauge(std::string_view name, std::string_view help, Labels labels, double value) override {
    Add(name, help, labels, MetricType::Gauge).gauge.value = value;
  }

  void Latencies(std::string_view name, std::string_view help, Labels labels, const LatencyHistogram& values) override {
    Fill(Add(name, help, labels, MetricType::Histogram), values, kLatencyBoundsUs, 1e6);
  }

  void Sizes(std::string_view name, std::string_view help, Labels labels, const SizeHistogram& values) override {
    Fill(Add(name, help, labels, MetricType::Histogram), values, kSizeBounds, 1);
  }

  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  ClientMetric& Add(std::string_view name, std::string_view help, Labels labels, MetricType type) {
    const auto [at, is_new] = index_.try_emplace(name, families_.size());
    if (is_new) families_.push_back({std::string(name), std::string(help), type, {}});
    ClientMetric& metric = families_[at->second].metric.emplace_back();
    for (const auto& [label, value] : labels) metric.label.push_back({std::string(label), std::string(value)});
    return metric;
  }

  template <typename Histogram, typename Bounds>
  static void Fill(ClientMetric& metric, const Histogram& values, const Bounds& bounds, double per_unit) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
      count += values.bucket(i);
      const double bound =
          i < bounds.size() ? static_cast<double>(bounds[i]) / per_unit : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({count, bound});
    }
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = static_cast<double>(values.sum()) / per_unit;
  }

  std::vector<MetricFamily> families_;
  std::unordered_map<std::string_view, std::size_t> index_;  // of literals, which stay
};

}  // namespace

std::vector<MetricFamily> MetricFamilies::Collect() const {
  const std::scoped_lock lock(one_at_a_time_);
  FamilyWriter writer;
  collector_(writer);
  return writer.Take();
}

}  // namespace strife
