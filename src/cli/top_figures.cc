#include "cli/top_figures.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace strife::cli {
namespace {

struct Bucket {
  double bound = 0;  // seconds
  double count = 0;  // up to it
};

double BoundOf(const std::string& text) {
  double bound = std::numeric_limits<double>::infinity();
  std::from_chars(text.data(), text.data() + text.size(), bound);
  return bound;
}

// Where `share` of the samples lie below.
double At(const std::vector<Bucket>& buckets, double share) {
  const double wanted = share * buckets.back().count;
  double bound = 0, count = 0;
  for (const Bucket& bucket : buckets) {
    if (bucket.count >= wanted && bucket.count > count) {
      if (bucket.bound == std::numeric_limits<double>::infinity()) return bound;
      return bound + (bucket.bound - bound) * (wanted - count) / (bucket.count - count);
    }
    bound = bucket.bound;
    count = bucket.count;
  }
  return bound;
}

double SumOfState(const MetricsReading& reading, const std::string& state) {
  const std::string name = "strife_payments_total{state=\"" + state + "\"";
  double sum = 0;
  for (const std::string& reason : reading.Labels(name, "reason")) {
    sum += reading.Value(std::string(name).append(",reason=\"").append(reason).append("\"}"));
  }
  return sum;
}

}  // namespace

std::optional<Quantiles> QuantilesOf(const MetricsReading& before, const MetricsReading& now, const std::string& name,
                                     const std::string& labels) {
  const std::string start = name + "_bucket{" + labels + (labels.empty() ? "" : ",");
  std::vector<Bucket> buckets;
  for (const std::string& bound : now.Labels(start, "le")) {
    const std::string full = std::string(start).append("le=\"").append(bound).append("\"}");
    buckets.push_back({BoundOf(bound), now.Value(full) - before.Value(full)});
  }
  std::ranges::sort(buckets, {}, &Bucket::bound);
  // A server that was started in between has fewer than before.
  if (buckets.empty() || buckets.back().count <= 0) return std::nullopt;
  return Quantiles{At(buckets, 0.5), At(buckets, 0.99)};
}

TopFigures FiguresBetween(const MetricsReading& before, const MetricsReading& now, Duration apart) {
  const double seconds = std::max(static_cast<double>(apart.count()) / 1e6, 1e-6);
  const auto rate = [&](double from, double to) { return std::max(to - from, 0.0) / seconds; };
  TopFigures figures;
  figures.completed_per_second = rate(SumOfState(before, "COMPLETED"), SumOfState(now, "COMPLETED"));
  figures.declined_per_second = rate(SumOfState(before, "ABORTED"), SumOfState(now, "ABORTED"));
  figures.refused_per_second =
      rate(before.Sum("strife_payments_refused_total"), now.Sum("strife_payments_refused_total"));
  figures.in_flight = now.Value("strife_payments_in_flight");
  figures.backlog = now.Value("strife_engine_queued_inputs");
  figures.in_doubt = now.Value("strife_payments_in_doubt");
  figures.oldest_in_doubt_s = now.Value("strife_payments_in_doubt_oldest_age_seconds");
  figures.late = now.Value("strife_payments_partial_commit");
  figures.disk = QuantilesOf(before, now, "strife_engine_commit_duration_seconds", "");
  for (const char* phase : {"prepare", "decision", "commit", "total"}) {
    const std::string name = "strife_payment_phase_duration_seconds";
    const std::string label = "phase=\"" + std::string(phase) + "\"";
    const std::string count = std::string(name).append("_count{").append(label).append("}");
    figures.phases.push_back(
        {phase, rate(before.Value(count), now.Value(count)), QuantilesOf(before, now, name, label)});
  }
  for (const std::string& id : now.Labels("strife_bank_up{", "bank")) {
    const std::string label = "bank=\"" + id + "\"";
    const std::string name = "strife_bank_message_duration_seconds";
    const std::string count = std::string(name).append("_count{").append(label).append("}");
    figures.banks.push_back({.bank_id = id,
                             .up = now.Value("strife_bank_up{" + label + "}") == 1,
                             .per_second = rate(before.Value(count), now.Value(count)),
                             .took = QuantilesOf(before, now, name, label),
                             .queued = now.Value("strife_bank_queued_commands{" + label + "}")});
  }
  return figures;
}

}  // namespace strife::cli
