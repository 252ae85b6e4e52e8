#include "cli/bench_report.h"

#include <array>
#include <cstdio>

#include "cli/table.h"

namespace strife::cli {
namespace {

template <typename... Values>
std::string Format(const char* format, Values... values) {
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

std::string Milliseconds(Duration value) { return Format("%.2f ms", static_cast<double>(value.count()) / 1000); }

std::string Mebibytes(std::uint64_t bytes) { return Format("%.0f MiB", static_cast<double>(bytes) / (1 << 20)); }

double PerPayment(Duration cpu, const LoadResult& result) {
  return result.completed == 0 ? 0 : static_cast<double>(cpu.count()) / static_cast<double>(result.completed);
}

double OfTheTime(Duration cpu, const LoadResult& result) {
  return result.measured.count() == 0 ? 0
                                      : static_cast<double>(cpu.count()) / static_cast<double>(result.measured.count());
}

Json LatencyJson(const Histogram& latency) {
  return {{"p50", latency.Percentile(0.5).count()},
          {"p90", latency.Percentile(0.9).count()},
          {"p99", latency.Percentile(0.99).count()},
          {"p999", latency.Percentile(0.999).count()},
          {"max", latency.max().count()}};
}

std::string LatencyText(const Histogram& latency) {
  return "p50 " + Milliseconds(latency.Percentile(0.5)) + "  p90 " + Milliseconds(latency.Percentile(0.9)) + "  p99 " +
         Milliseconds(latency.Percentile(0.99)) + "  p99.9 " + Milliseconds(latency.Percentile(0.999)) + "  max " +
         Milliseconds(latency.max());
}

Json ProcessesJson(const BenchReport& report) {
  Json processes = Json::array();
  for (const UsageMeter::Row& row : report.processes) {
    processes.push_back({{"name", row.name},
                         {"pid", row.pid},
                         {"cpu_us", row.cpu.count()},
                         {"cpu_us_per_payment", PerPayment(row.cpu, report.result)},
                         {"resident_bytes", row.resident_bytes},
                         {"peak_resident_bytes", row.peak_bytes}});
  }
  return processes;
}

std::string ProcessesText(const BenchReport& report) {
  Table table({{"process", Align::kLeft},
               {"CPU a payment", Align::kRight},
               {"processors", Align::kRight},
               {"resident", Align::kRight},
               {"at most", Align::kRight}});
  Duration all{};
  const auto add = [&](const std::string& name, Duration cpu, const std::string& resident, const std::string& peak) {
    table.AddRow({name, Format("%.0f us", PerPayment(cpu, report.result)),
                  Format("%.2f", OfTheTime(cpu, report.result)), resident, peak});
  };
  for (const UsageMeter::Row& row : report.processes) {
    add(row.name, row.cpu, Mebibytes(row.resident_bytes), Mebibytes(row.peak_bytes));
    all += row.cpu;
  }
  add("all", all, "", "");
  return table.RenderForOutput();
}

}  // namespace

double Rate(const LoadResult& result) {
  const double seconds = std::chrono::duration<double>(result.measured).count();
  return seconds > 0 ? static_cast<double>(result.completed) / seconds : 0;
}

Json BenchJson(const BenchReport& report) {
  const LoadResult& result = report.result;
  const LoadOptions& options = report.options;
  Json failures = Json::object();
  for (const auto& [reason, count] : result.failures) failures[reason] = count;
  return {
      {"payments_per_second", Rate(result)},
      {"completed", result.completed},
      {"measured_us", result.measured.count()},
      {"loop", options.rate > 0 ? "open" : "closed"},
      {"rate", options.rate},
      {"outstanding", options.outstanding},
      {"batch", options.mix.batch},
      {"hot", options.mix.hot},
      {"one_bank", options.mix.one_bank},
      {"users", report.users},
      {"accounts", report.accounts},
      {"banks", report.banks},
      {"connections", report.connections},
      {"latency_us", LatencyJson(result.latency)},
      {"reads",
       {{"share", options.mix.reads}, {"completed", result.reads}, {"latency_us", LatencyJson(result.read_latency)}}},
      {"failures", failures},
      {"sent", result.sent},
      {"sent_late", result.sent_late},
      {"asked_again", result.asked_again},
      {"unresolved", result.unresolved},
      {"processes", ProcessesJson(report)}};
}

std::string BenchText(const BenchReport& report) {
  const LoadResult& result = report.result;
  std::string failures;
  for (const auto& [reason, count] : result.failures) {
    failures += (failures.empty() ? "" : ", ") + std::to_string(count) + " × " + reason;
  }
  const auto some = [](std::uint64_t count) { return count == 0 ? "" : std::to_string(count); };
  std::string rate = Format("%.0f payments/s", Rate(result));
  if (report.options.rate > 0) rate += Format(" of %.0f a second that were to be made", report.options.rate);
  std::string text =
      RenderFields({{"rate", rate},
                    {"completed", std::to_string(result.completed) + " in " + Milliseconds(result.measured)},
                    {"latency", LatencyText(result.latency)},
                    {"reads", some(result.reads)},
                    {"their latency", result.reads == 0 ? "" : LatencyText(result.read_latency)},
                    {"failed", failures},
                    {"sent late", some(result.sent_late)},
                    {"asked again", some(result.asked_again)},
                    {"unresolved", some(result.unresolved)}});
  return text + ProcessesText(report);
}

}  // namespace strife::cli
