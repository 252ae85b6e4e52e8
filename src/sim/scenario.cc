#include "sim/scenario.h"

#include <toml++/toml.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/text.h"

namespace strife::sim {
namespace {

// Reads the keys of one table and, in the end, finds those that nobody asked for. The first error stays.
class Section {
 public:
  Section(const toml::table& root, std::string name, const std::string& source)
      : name_(std::move(name)), source_(source) {
    if (name_.empty()) {
      table_ = &root;
    } else if (const toml::node* node = root.get(name_)) {
      table_ = node->as_table();
      if (table_ == nullptr) Complain(name_ + " must be a table");
    }
  }

  template <typename Number>
  void Whole(const std::string& key, Number* field, std::int64_t low, std::int64_t high) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < low || *value > high) {
      return Complain(Path(key) + " must be a whole number from " + std::to_string(low) + " to " +
                      std::to_string(high));
    }
    *field = static_cast<Number>(*value);
  }
  void PerMille(const std::string& key, unsigned* field) { Whole(key, field, 0, 1000); }
  // `key` ends in _ms.
  void Time(const std::string& key, Duration* field, Duration low, Duration high) {
    std::int64_t value = 0;
    if (table_ == nullptr || !table_->contains(key)) return;
    const auto in_ms = [](Duration time) { return std::chrono::duration_cast<milliseconds>(time).count(); };
    Whole(key, &value, in_ms(low), in_ms(high));
    *field = milliseconds(value);
  }
  void Flag(const std::string& key, bool* field) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<bool>();
    if (!value) return Complain(Path(key) + " must be true or false");
    *field = *value;
  }
  void Text(const std::string& key, std::string* field) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value) return Complain(Path(key) + " must be text");
    *field = *value;
  }
  void Table(const std::string& key) { known_.insert(key); }

  Status Finish() {
    if (!error_.empty()) return Fail(ErrorCode::kInvalidInput, source_ + ": " + error_);
    if (table_ == nullptr) return {};
    for (const auto& [key, value] : *table_) {
      if (known_.contains(std::string(key.str()))) continue;
      return Fail(ErrorCode::kInvalidInput, source_ + ": " + Sanitize(Path(std::string(key.str())), 100) +
                                                " means nothing to the simulator; take it out or correct it");
    }
    return {};
  }

 private:
  const toml::node* Find(const std::string& key) {
    known_.insert(key);
    return table_ == nullptr ? nullptr : table_->get(key);
  }
  std::string Path(const std::string& key) const { return name_.empty() ? key : name_ + "." + key; }
  void Complain(std::string what) {
    if (error_.empty()) error_ = std::move(what);
  }

  const toml::table* table_ = nullptr;
  const std::string name_;
  const std::string& source_;
  std::set<std::string> known_;
  std::string error_;
};

constexpr Duration kMostTime = std::chrono::hours(1);

void Read(Section& section, Scenario& scenario) {
  section.Text("description", &scenario.description);
  section.Flag("vary", &scenario.vary);
  for (const char* table : {"cluster", "workload", "network", "storage", "processes", "clocks", "time"}) {
    section.Table(table);
  }
}

void Read(Section& section, Scenario::Cluster& cluster) {
  section.Whole("banks", &cluster.banks, 1, 16);
  section.Whole("gateways", &cluster.gateways, 1, 2);
  section.Whole("clients", &cluster.clients, 2, 64);
  section.Whole("outboxes", &cluster.outboxes, 0, 63);
  section.Whole("accounts_per_bank", &cluster.accounts_per_bank, 2, 1000);
  section.Whole("opening_minor_units", &cluster.opening_minor_units, 0, 1'000'000'000'000);
}

void Read(Section& section, Scenario::Workload& workload) {
  section.Whole("payments", &workload.payments, 1, 1'000'000);
  section.Time("arrive_within_ms", &workload.arrive_within, milliseconds(1), kMostTime);
  section.Whole("largest_minor_units", &workload.largest_minor_units, 1, 1'000'000'000'000);
  section.PerMille("same_bank_per_mille", &workload.same_bank);
  section.PerMille("too_much_per_mille", &workload.too_much);
  section.PerMille("unknown_account_per_mille", &workload.unknown_account);
  section.PerMille("unknown_bank_per_mille", &workload.unknown_bank);
  section.PerMille("repeated_per_mille", &workload.repeated);
  section.PerMille("other_payload_per_mille", &workload.other_payload);
  section.PerMille("other_user_per_mille", &workload.other_user);
  section.PerMille("expire_per_mille", &workload.expire);
}

void Read(Section& section, Scenario::Network& network) {
  section.Time("latency_least_ms", &network.latency_least, milliseconds(0), seconds(60));
  section.Time("latency_most_ms", &network.latency_most, milliseconds(0), seconds(60));
  section.PerMille("lose_per_mille", &network.lose);
  section.PerMille("duplicate_per_mille", &network.duplicate);
  section.PerMille("delay_per_mille", &network.delay);
  section.Time("delay_most_ms", &network.delay_most, milliseconds(1), kMostTime);
  section.Time("partition_every_ms", &network.partition_every, milliseconds(0), kMostTime);
  section.Time("partition_most_ms", &network.partition_most, milliseconds(1), kMostTime);
  section.PerMille("one_way_per_mille", &network.one_way);
}

void Read(Section& section, Scenario::Storage& storage) {
  section.Time("commit_least_ms", &storage.commit_least, milliseconds(0), seconds(60));
  section.Time("commit_most_ms", &storage.commit_most, milliseconds(0), seconds(60));
  section.PerMille("slow_per_mille", &storage.slow);
  section.Time("slow_most_ms", &storage.slow_most, milliseconds(1), kMostTime);
  section.PerMille("fail_per_mille", &storage.fail);
  section.Time("full_every_ms", &storage.full_every, milliseconds(0), kMostTime);
  section.Time("full_most_ms", &storage.full_most, milliseconds(1), kMostTime);
}

void Read(Section& section, Scenario::Processes& processes) {
  section.PerMille("crash_per_mille", &processes.crash);
  section.Time("restart_least_ms", &processes.restart_least, milliseconds(1), kMostTime);
  section.Time("restart_most_ms", &processes.restart_most, milliseconds(1), kMostTime);
  section.Time("pause_every_ms", &processes.pause_every, milliseconds(0), kMostTime);
  section.Time("pause_most_ms", &processes.pause_most, milliseconds(1), kMostTime);
  section.Time("takeover_ms", &processes.takeover, milliseconds(1), kMostTime);
}

void Read(Section& section, Scenario::Clocks& clocks) {
  section.Time("skew_most_ms", &clocks.skew_most, milliseconds(0), kMostTime);
  section.Time("jump_every_ms", &clocks.jump_every, milliseconds(0), kMostTime);
  section.Time("jump_most_ms", &clocks.jump_most, milliseconds(0), kMostTime);
}

void Read(Section& section, Scenario::Time& time) {
  section.Time("faults_ms", &time.faults, milliseconds(0), kMostTime);
  section.Time("settle_ms", &time.settle, seconds(1), kMostTime);
}

Status CheckOrder(const Scenario& scenario, const std::string& source) {
  if (scenario.cluster.outboxes >= scenario.cluster.clients) {
    return Fail(ErrorCode::kInvalidInput, source + ": cluster.outboxes must be less than cluster.clients");
  }
  if (scenario.network.latency_least > scenario.network.latency_most) {
    return Fail(ErrorCode::kInvalidInput, source + ": network.latency_least_ms is more than latency_most_ms");
  }
  if (scenario.storage.commit_least > scenario.storage.commit_most) {
    return Fail(ErrorCode::kInvalidInput, source + ": storage.commit_least_ms is more than commit_most_ms");
  }
  return {};
}

Status Fill(const toml::table& root, const std::string& source, Scenario& scenario) {
  Status status;
  const auto read = [&](const char* name, auto& part) {
    if (!status) return;
    Section section(root, name, source);
    Read(section, part);
    status = section.Finish();
  };
  read("", scenario);
  read("cluster", scenario.cluster);
  read("workload", scenario.workload);
  read("network", scenario.network);
  read("storage", scenario.storage);
  read("processes", scenario.processes);
  read("clocks", scenario.clocks);
  read("time", scenario.time);
  return status ? CheckOrder(scenario, source) : status;
}

}  // namespace

Result<Scenario> ParseScenario(std::string_view text, const std::string& source) {
  toml::table root;
  try {
    root = toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    return Fail(ErrorCode::kInvalidInput, source + " line " + std::to_string(error.source().begin.line) +
                                              " is no TOML: " + Sanitize(error.description(), 200));
  }
  Scenario scenario;
  if (auto filled = Fill(root, source, scenario); !filled) return std::unexpected(filled.error());
  return scenario;
}

Result<Scenario> ReadScenario(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (!(text << file.rdbuf())) {
    return Fail(ErrorCode::kNotFound, "the scenario " + path + " cannot be read; see tests/scenarios");
  }
  auto scenario = ParseScenario(text.str(), path);
  if (scenario) scenario->name = std::filesystem::path(path).stem().string();
  return scenario;
}

void Vary(Scenario& scenario, Random& random) {
  const auto rate = [&](unsigned& per_mille) {
    per_mille = random.Chance(500) ? static_cast<unsigned>(random.Between(0, per_mille)) : 0;
  };
  const auto every = [&](Duration& time) { time = random.Chance(500) ? time * random.Between(1, 4) : Duration(0); };
  rate(scenario.network.lose);
  rate(scenario.network.duplicate);
  rate(scenario.network.delay);
  every(scenario.network.partition_every);
  rate(scenario.storage.slow);
  rate(scenario.storage.fail);
  every(scenario.storage.full_every);
  rate(scenario.processes.crash);
  every(scenario.processes.pause_every);
}

}  // namespace strife::sim
