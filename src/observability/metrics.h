// Metrics: what a process says about itself to whoever asks, in Prometheus' words.
//
// Nothing is registered and nothing is looked up while work is done: components feed counters of their own
// (base/measure.h), and give them names only when somebody reads. A collector is a function that does so.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/measure.h"

namespace strife {

// Takes the values of one reading. Names and help are literals of the program, names by Prometheus' conventions (base
// units, counters end in _total); values of labels must come from a bounded set. The same name must come with the same
// type and help.
class MetricWriter {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  virtual ~MetricWriter() = default;

  virtual void Count(std::string_view name, std::string_view help, Labels labels, double value) = 0;
  virtual void Gauge(std::string_view name, std::string_view help, Labels labels, double value) = 0;
  // In seconds: `name` ends in _seconds.
  virtual void Latencies(std::string_view name, std::string_view help, Labels labels,
                         const LatencyHistogram& values) = 0;
  virtual void Sizes(std::string_view name, std::string_view help, Labels labels, const SizeHistogram& values) = 0;

  void Count(std::string_view name, std::string_view help, Labels labels, const Counter& counter) {
    Count(name, help, labels, static_cast<double>(counter.value()));
  }
};

// Runs on the endpoint's thread, one reading at a time; must not block on what the process does for others.
using MetricCollector = std::function<void(MetricWriter&)>;

// What every process can say: version, CPU time, memory, files, start time. `role` is gateway or bank.
void CollectProcess(MetricWriter& writer, std::string_view role);

}  // namespace strife
