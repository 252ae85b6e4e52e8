// sim: whole clusters under faults in simulated time.
#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <limits>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "sim/sweep.h"

namespace strife::cli {
namespace {

struct SimOptions {
  std::string scenario;
  std::string seed = "1";
  std::string seeds;
  int jobs = 1;
  OutputFormat output = OutputFormat::kTable;
};

struct SeedRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

constexpr std::uint64_t kLastSeed = std::numeric_limits<std::int64_t>::max();

// "1..10000".
std::optional<SeedRange> ParseRange(const std::string& text) {
  SeedRange range;
  const char* end = text.data() + text.size();
  const auto [dots, first_error] = std::from_chars(text.data(), end, range.first);
  if (first_error != std::errc() || end - dots < 3 || dots[0] != '.' || dots[1] != '.') return std::nullopt;
  const auto [rest, last_error] = std::from_chars(dots + 2, end, range.last);
  if (last_error != std::errc() || rest != end || range.last < range.first || range.last > kLastSeed) {
    return std::nullopt;
  }
  return range;
}

std::string Format(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

double Seconds(Duration time) { return static_cast<double>(time.count()) / 1e6; }

// 1234567 as "1,234,567".
std::string Grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

// What a sweep has taken, in seconds.
struct Cost {
  double wall = 0;
  double cpu = 0;  // of all threads: what one core alone would have taken

  static Cost Now() {
    return {std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(),
            static_cast<double>(std::clock()) / CLOCKS_PER_SEC};
  }
  Cost Since(const Cost& start) const { return {wall - start.wall, cpu - start.cpu}; }
};

double Ratio(double simulated, double taken) { return taken > 0 ? simulated / taken : 0; }

std::string SummaryText(const sim::Counts& counts, const Cost& cost) {
  const double simulated = Seconds(counts.simulated);
  return RenderFields({
      {"seeds", Grouped(counts.runs)},
      {"payments", Grouped(counts.payments.payments) + " (" + Grouped(counts.payments.completed) + " completed, " +
                       Grouped(counts.payments.aborted) + " aborted)"},
      {"crashes", Grouped(counts.processes.crashes)},
      {"starts", Grouped(counts.processes.starts)},
      {"pauses", Grouped(counts.processes.pauses)},
      {"takeovers", Grouped(counts.nemesis.takeovers) + " (" + Grouped(counts.processes.fenced) + " gateways fenced)"},
      {"partitions", Grouped(counts.nemesis.partitions)},
      {"messages", Grouped(counts.network.sent) + " (" + Grouped(counts.network.lost) + " lost, " +
                       Grouped(counts.network.cut_off) + " cut off, " + Grouped(counts.network.duplicated) +
                       " doubled, " + Grouped(counts.network.delayed) + " late)"},
      {"commits", Grouped(counts.disks.commits) + " (" + Grouped(counts.disks.failed) + " failed, " +
                      Grouped(counts.disks.refused) + " on a full disk, " + Grouped(counts.disks.slow) + " slow)"},
      {"clock jumps", Grouped(counts.nemesis.clock_jumps)},
      {"effect points", Grouped(counts.processes.effect_points)},
      {"simulated", Format("%.0f s", simulated)},
      {"wall time", Format("%.2f s", cost.wall) + Format(", %.0f simulated seconds each", Ratio(simulated, cost.wall))},
      {"CPU time", Format("%.2f s", cost.cpu) + Format(", %.0f simulated seconds each", Ratio(simulated, cost.cpu))},
  });
}

Json SummaryJson(const sim::Counts& counts, const Cost& cost) {
  const double simulated = Seconds(counts.simulated);
  return {{"seeds", counts.runs},
          {"payments", counts.payments.payments},
          {"completed", counts.payments.completed},
          {"aborted", counts.payments.aborted},
          {"crashes", counts.processes.crashes},
          {"starts", counts.processes.starts},
          {"pauses", counts.processes.pauses},
          {"takeovers", counts.nemesis.takeovers},
          {"fenced", counts.processes.fenced},
          {"partitions", counts.nemesis.partitions},
          {"messages", counts.network.sent},
          {"messages_lost", counts.network.lost},
          {"messages_cut_off", counts.network.cut_off},
          {"messages_duplicated", counts.network.duplicated},
          {"messages_delayed", counts.network.delayed},
          {"commits", counts.disks.commits},
          {"commits_failed", counts.disks.failed},
          {"commits_refused", counts.disks.refused},
          {"clock_jumps", counts.nemesis.clock_jumps},
          {"effect_points", counts.processes.effect_points},
          {"simulated_seconds", simulated},
          {"wall_seconds", cost.wall},
          {"cpu_seconds", cost.cpu},
          {"ratio", Ratio(simulated, cost.wall)},
          {"ratio_cpu", Ratio(simulated, cost.cpu)}};
}

std::string ReplayCommand(const SimOptions& options, std::uint64_t seed) {
  return "strife sim --scenario " + options.scenario + " --seed " + std::to_string(seed);
}

Json FailureJson(const SimOptions& options, const sim::SeedResult& failed, const std::vector<sim::StoryLine>& story) {
  Json violations = Json::array();
  for (const sim::Violation& violation : failed.violations) {
    violations.push_back({{"at_seconds", Seconds(violation.at)},
                          {"invariant", violation.what.invariant},
                          {"transaction_id", violation.what.transaction_id.ToString()},
                          {"sentence", violation.what.sentence}});
  }
  Json lines = Json::array();
  for (const sim::StoryLine& line : story) {
    lines.push_back({{"at_seconds", Seconds(line.at)}, {"process", line.process}, {"event", line.event}});
  }
  return {{"seed", failed.seed},
          {"replay", ReplayCommand(options, failed.seed)},
          {"violations", violations},
          {"story", lines}};
}

std::string FailureText(const sim::SeedResult& failed, const std::vector<sim::StoryLine>& story) {
  std::string text = "violations of seed " + std::to_string(failed.seed) + "\n";
  for (const sim::Violation& violation : failed.violations) {
    text += Format("%10.3f  ", Seconds(violation.at)) + std::string(violation.what.invariant) + ": " +
            violation.what.sentence + "\n";
  }
  text += "\nhow it came to the first\n";
  for (const sim::StoryLine& line : story) {
    text += Format("%10.3f  ", Seconds(line.at)) + line.process +
            std::string(line.process.size() < 10 ? 10 - line.process.size() : 1, ' ') + line.event + "\n";
  }
  return text;
}

int Conclude(const SimOptions& options, const sim::Scenario& scenario, const sim::SweepResult& sweep,
             const Cost& cost) {
  std::vector<sim::StoryLine> story;
  if (sweep.failure) story = sim::TellStory(scenario, *sweep.failure);
  if (options.output == OutputFormat::kJson) {
    Json json = SummaryJson(sweep.counts, cost);
    json["scenario"] = scenario.name;
    json["failure"] = sweep.failure ? FailureJson(options, *sweep.failure, story) : Json(nullptr);
    PrintJson(json);
  } else {
    if (sweep.failure) PrintText(FailureText(*sweep.failure, story) + "\n");
    PrintText(SummaryText(sweep.counts, cost));
  }
  if (!sweep.failure) return kExitDone;
  PrintError("seed " + std::to_string(sweep.failure->seed) + " broke " +
             std::string(sweep.failure->violations.front().what.invariant) +
             "; replay it with: " + ReplayCommand(options, sweep.failure->seed));
  return kExitFailed;
}

int SimCommand(const SimOptions& options) {
  const auto scenario = sim::ReadScenario(options.scenario);
  if (!scenario) return Report(scenario.error());
  const auto range = ParseRange(options.seeds.empty() ? options.seed + ".." + options.seed : options.seeds);
  if (!range) {
    return ReportUsage(options.seeds.empty()
                           ? "--seed: \"" + options.seed + "\" is no seed; write a whole number of up to 18 digits"
                           : "--seeds: \"" + options.seeds + "\" is no range of seeds such as 1..10000");
  }
  const Cost start = Cost::Now();
  std::optional<Progress> progress;
  if (range->last > range->first) progress.emplace("seeds", range->last - range->first + 1);
  const sim::SweepResult sweep =
      sim::Sweep(*scenario, range->first, range->last, options.jobs, [&](std::uint64_t done) {
        if (progress) progress->Update(done);
      });
  progress.reset();
  return Conclude(options, *scenario, sweep, Cost::Now().Since(start));
}

}  // namespace

void AddSimCommand(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<SimOptions>();
  CLI::App* command =
      AddCommand(app, invocation, "sim", "Simulate whole networks under faults, and find what should never happen",
                 "  strife sim --scenario tests/scenarios/everything.toml --seeds 1..10000\n"
                 "  strife sim --scenario tests/scenarios/everything.toml --seed 42\n"
                 "\nA seed replays exactly. Exit status 1 when an invariant is broken, with the story of how.",
                 [=] { return SimCommand(*options); });
  command->add_option("--scenario", options->scenario, "TOML file with cluster, load and faults")->required();
  CLI::Option* seed = command->add_option("--seed", options->seed, "Run this seed [1]");
  command->add_option("--seeds", options->seeds, "Run all seeds of a range, such as 1..10000")->excludes(seed);
  command->add_option("--jobs", options->jobs, "Seeds run side by side [1]")->check(CLI::Range(1, 256));
  AddOutputFlag(*command, &options->output);
}

}  // namespace strife::cli
