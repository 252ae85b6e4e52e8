#include "crash_points/crash_points.h"

#include <algorithm>
#include <utility>

namespace strife::crash_points {
namespace {

using protocol::AccountRef;
using protocol::PaymentState;
using sim::EffectPoint;
using sim::Fate;
using std::chrono::milliseconds;
using std::chrono::seconds;

sim::PlannedPayment Pay(std::uint8_t n, AccountRef from, AccountRef to, std::int64_t minor_units, Duration later = {}) {
  sim::PlannedPayment planned;
  planned.at = seconds(1) + later;  // when everybody is up
  planned.client = n;
  planned.order = {
      Uuid{{n, 1}}, sim::UserName(n), std::move(from), std::move(to), {minor_units, *Currency::Parse("USD")}, ""};
  return planned;
}

sim::Scenario ScenarioOf(const Case& of, Duration restart) {
  sim::Scenario scenario;
  scenario.cluster = {.banks = 2,
                      .gateways = 1,
                      .clients = static_cast<int>(of.payments.size()),
                      .accounts_per_bank = 2,
                      .opening_minor_units = of.opening_minor_units};
  scenario.network.latency_least = scenario.network.latency_most = milliseconds(10);
  scenario.storage.commit_least = scenario.storage.commit_most = milliseconds(1);
  scenario.processes.restart_least = scenario.processes.restart_most = restart;
  scenario.time.faults = Duration(0);
  if (of.gateway_stops) {
    scenario.cluster.gateways = 2;
    scenario.processes.takeover = seconds(2);
    scenario.time.faults = seconds(20);  // until it goes on
  }
  return scenario;
}

// One run.
class Run {
 public:
  Run(const Case& of, Duration restart, const std::vector<std::uint64_t>& crashes, std::optional<Uuid> follow = {})
      : of_(of),
        crashes_(crashes),
        cluster_(ScenarioOf(of, restart), 1,
                 {[this](const EffectPoint& point) { return At(point); }, of.payments, follow}) {
    cluster_.Run();
  }

  const sim::Cluster& cluster() const { return cluster_; }
  std::uint64_t points() const { return points_; }  // of gateway and banks
  // The case wants its gateway stopped at a point that is not the gateway's.
  bool impossible() const { return impossible_; }
  const std::string& deaths() const { return deaths_; }

 private:
  Fate At(const EffectPoint& point) {
    if (point.process.starts_with("client")) return Fate::kGoOn;
    ++points_;
    if (next_ == crashes_.size() || crashes_[next_] != points_) return Fate::kGoOn;
    ++next_;
    if (of_.gateway_stops && next_ == 1) return Stop(point);
    deaths_ += "  " + std::string(point.process) + " dies " + std::string(sim::KindName(point.kind)) + " (point " +
               std::to_string(points_) + ")\n";
    return Fate::kCrash;
  }

  Fate Stop(const EffectPoint& point) {
    impossible_ = point.process != "gateway1";
    if (impossible_) return Fate::kGoOn;
    deaths_ += "  gateway1 is stopped (point " + std::to_string(points_) + ")\n";
    return Fate::kPause;
  }

  const Case& of_;
  const std::vector<std::uint64_t> crashes_;
  bool impossible_ = false;
  std::size_t next_ = 0;
  std::uint64_t points_ = 0;
  std::string deaths_;
  sim::Cluster cluster_;
};

void Explore(const Case& of, Duration restart, std::size_t most_crashes, std::vector<std::uint64_t>& crashes,
             Enumeration& enumeration) {
  const Run run(of, restart, crashes);
  if (run.impossible()) return;
  ++enumeration.runs[crashes.size()];
  for (const sim::Violation& violation : run.cluster().violations()) enumeration.found.push_back({crashes, violation});
  if (crashes.size() == most_crashes) return;
  for (std::uint64_t point = crashes.empty() ? 1 : crashes.back() + 1; point <= run.points(); ++point) {
    if (!enumeration.found.empty()) return;
    crashes.push_back(point);
    Explore(of, restart, most_crashes, crashes, enumeration);
    crashes.pop_back();
  }
}

}  // namespace

std::vector<Case> Cases() {
  const AccountRef payer{sim::BankName(0), sim::AccountName(0)};
  const AccountRef neighbour{sim::BankName(0), sim::AccountName(1)};
  const AccountRef payee{sim::BankName(1), sim::AccountName(0)};
  const auto completed = PaymentState::kCompleted;
  const auto aborted = PaymentState::kAborted;
  return {
      {"between banks", 100, {Pay(0, payer, payee, 70)}, {completed}},
      {"within a bank", 100, {Pay(0, payer, neighbour, 70)}, {completed}},
      {"declined", 100, {Pay(0, payer, payee, 101)}, {aborted}},
      {"two, money for one", 100, {Pay(0, payer, payee, 70), Pay(1, payer, payee, 60)}, {completed, aborted}},
      {"two, opposite",
       100,
       {Pay(0, payer, payee, 70), Pay(1, payee, payer, 60, milliseconds(15))},
       {completed, completed}},
      {"gateway stops", 100, {Pay(0, payer, payee, 70)}, {completed}, true},
      {"gateway stops, two", 100, {Pay(0, payer, payee, 70), Pay(1, payer, payee, 60)}, {completed, aborted}, true},
  };
}

std::vector<Duration> Restarts() { return {milliseconds(1), seconds(8)}; }

Enumeration Enumerate(const Case& of, Duration restart, std::size_t most_crashes) {
  Enumeration enumeration;
  enumeration.runs.resize(most_crashes + 1);
  std::vector<std::uint64_t> crashes;
  Explore(of, restart, most_crashes, crashes, enumeration);
  return enumeration;
}

std::map<Uuid, PaymentState> Outcomes(const Case& of, Duration restart, const std::vector<std::uint64_t>& crashes) {
  return Run(of, restart, crashes).cluster().Outcomes();
}

std::string Tell(const Case& of, Duration restart, const Found& found) {
  const Run run(of, restart, found.crashes, found.violation.what.transaction_id);
  std::string text = of.name + ": " + found.violation.what.sentence + "\n" + run.deaths();
  for (const sim::StoryLine& line : run.cluster().story()) {
    text += "  " + std::to_string(line.at / milliseconds(1)) + " ms " + line.process + " " + line.event + "\n";
  }
  return text;
}

}  // namespace strife::crash_points
