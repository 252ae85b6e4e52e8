#include "sim/cluster.h"

#include <algorithm>
#include <exception>

#include "base/assertions_throw.h"
#include "verify/verify.h"

namespace strife::sim {
namespace {

std::vector<std::string> BankNames(const Scenario& scenario) {
  std::vector<std::string> names;
  const auto banks = static_cast<std::size_t>(scenario.cluster.banks);
  names.reserve(banks);
  for (std::size_t n = 0; n < banks; ++n) names.push_back(BankName(n));
  return names;
}

std::size_t ProcessCount(const Scenario::Cluster& cluster) {
  return static_cast<std::size_t>(cluster.gateways) + static_cast<std::size_t>(cluster.banks) +
         static_cast<std::size_t>(cluster.clients);
}

}  // namespace

void Counts::Add(const Counts& other) {
  runs += other.runs;
  events += other.events;
  simulated += other.simulated;
  const auto add = [](auto& sum, const auto& more, auto... members) { ((sum.*members += more.*members), ...); };
  add(payments, other.payments, &AuditCounts::payments, &AuditCounts::completed, &AuditCounts::aborted,
      &AuditCounts::refused, &AuditCounts::answers);
  add(processes, other.processes, &ProcessCounts::crashes, &ProcessCounts::starts, &ProcessCounts::pauses,
      &ProcessCounts::fenced, &ProcessCounts::effect_points);
  add(network, other.network, &NetworkCounts::sent, &NetworkCounts::lost, &NetworkCounts::cut_off,
      &NetworkCounts::duplicated, &NetworkCounts::delayed);
  add(disks, other.disks, &DiskCounts::commits, &DiskCounts::failed, &DiskCounts::refused, &DiskCounts::slow);
  add(nemesis, other.nemesis, &NemesisCounts::partitions, &NemesisCounts::takeovers, &NemesisCounts::full_disks,
      &NemesisCounts::clock_jumps);
}

Cluster::Cluster(const Scenario& scenario, std::uint64_t seed, Options options)
    : world_(seed),
      network_(world_, scenario.network, ProcessCount(scenario.cluster)),
      checkers_(world_, BankNames(scenario)),
      auditor_(checkers_, scenario.cluster.opening_minor_units),
      parts_{world_, network_, checkers_, auditor_, scenario, std::move(options.fates), {}, {}, {}},
      seed_(seed) {
  if (options.follow) world_.trace().Follow(*options.follow);
  if (scenario.vary) Vary(parts_.scenario, world_.random());
  network_.SetFaults(parts_.scenario.network);
  workload_ = options.workload ? *std::move(options.workload) : MakeWorkload(parts_.scenario, world_.random());
  Build();
  parts_.fates = [this, fates = std::move(parts_.fates)](const EffectPoint& point) {
    const Fate fate = fates ? fates(point) : nemesis_->DrawFate();
    if (fate == Fate::kPause) nemesis_->Stopped(point.process);
    return fate;
  };
}

Cluster::~Cluster() = default;

void Cluster::Build() {
  const Scenario::Cluster& shape = parts_.scenario.cluster;
  std::size_t number = 0;
  std::vector<Process*> processes;
  std::vector<Disk*> disks;
  const auto add_disk = [&]() -> Disk& {
    disks_.push_back(std::make_unique<Disk>(world_, parts_.scenario.storage));
    disks.push_back(disks_.back().get());
    return *disks_.back();
  };
  Disk& gateway_disk = add_disk();
  for (int n = 0; n < shape.gateways; ++n) {
    gateways_.push_back(std::make_unique<GatewayProcess>(parts_, number++, "gateway" + std::to_string(n + 1),
                                                         gateway_disk, gateway_disk_));
    parts_.gateways.push_back(gateways_.back().get());
    processes.push_back(gateways_.back().get());
  }
  for (std::size_t n = 0; n < static_cast<std::size_t>(shape.banks); ++n) {
    bank_disks_.push_back(std::make_shared<MemoryBankDisk>());
    banks_.push_back(std::make_unique<BankProcess>(parts_, number++, n, add_disk(), bank_disks_.back()));
    parts_.banks.push_back(banks_.back().get());
    processes.push_back(banks_.back().get());
  }
  for (int n = 0; n < shape.clients; ++n) {
    const std::string name = "client" + std::to_string(n + 1);
    const auto add = [&](auto client) {
      clients_.push_back(client.get());
      processes.push_back(client.get());
      client_processes_.push_back(std::move(client));
    };
    if (n < shape.outboxes) {
      add(std::make_unique<OutboxProcess>(parts_, number++, name, UserName(static_cast<std::size_t>(n)), add_disk()));
    } else {
      add(std::make_unique<ClientProcess>(parts_, number++, name));
    }
  }
  nemesis_.emplace(parts_, std::move(processes), std::move(disks), seed_);
}

void Cluster::StartAll() {
  gateways_.front()->Start();
  for (const auto& bank : banks_) {
    bank->Start();
    bank->Heartbeat();
  }
  for (const auto& client : client_processes_) client->Start();
  for (const PlannedPayment& planned : workload_) {
    world_.After(planned.at, [this, &planned] { clients_.at(planned.client)->Enter(planned); });
  }
}

void Cluster::Run() {
  try {
    const AssertionsThrow as_violations;
    RunToTheEnd();
  } catch (const std::exception& error) {
    checkers_.Report(kAssertion, {}, {}, error.what());
  }
  Count();
}

void Cluster::RunToTheEnd() {
  const Scenario::Time& time = parts_.scenario.time;
  nemesis_->Begin();
  StartAll();
  Duration last{};
  for (const PlannedPayment& planned : workload_) last = std::max(last, planned.at);
  world_.RunUntil(time.faults, [this] { return !violations().empty(); });
  nemesis_->End();
  world_.RunUntil(last, [this] { return !violations().empty(); });
  world_.RunUntil(std::max(time.faults, last) + time.settle, [this] { return !violations().empty() || Ended(); });
  CheckEnd();
}

bool Cluster::Ended() const {
  if (!std::ranges::all_of(clients_, [](const auto& client) { return client->Finished(); })) return false;
  // A gateway that was replaced and does not know it may hold what is over.
  const bool gateway = std::ranges::any_of(gateways_, [this](const auto& node) {
    return node->up() && node->machine().coordinator.open_count() == 0 &&
           node->machine().coordinator.epoch() == epoch();
  });
  return gateway && std::ranges::all_of(
                        banks_, [](const auto& bank) { return bank->idle() && bank->machine().prepared_count() == 0; });
}

std::uint64_t Cluster::epoch() const {
  std::uint64_t epoch = 0;
  gateway_disk_->Access([&](MemoryGatewayContents& contents) { epoch = contents.epoch; });
  return epoch;
}

// ---- The end ----

void Cluster::CheckEnd() {
  if (!violations().empty()) return;  // what follows from it need not be told
  CheckTermination();
  if (violations().empty()) CheckBooks();
}

void Cluster::CheckTermination() {
  if (Ended()) return;
  const auto stuck = [&](const Uuid& id, const std::string& where) {
    checkers_.Report(kTermination, id, {},
                     "transaction " + id.ToString() + " is still open at " + where + " " +
                         std::to_string(parts_.scenario.time.settle / seconds(1)) + " s after the last fault");
  };
  for (std::size_t n = 0; n < clients_.size(); ++n) {
    for (const Uuid& id : clients_[n]->Unfinished()) stuck(id, client_processes_[n]->name());
  }
  gateway_disk_->Access([&](MemoryGatewayContents& contents) {
    for (const auto& [id, payment] : contents.payments) {
      if (!IsFinal(payment.state)) stuck(id, "the gateway");
    }
  });
  for (std::size_t n = 0; n < banks_.size(); ++n) {
    bank_disks_[n]->Access([&](MemoryBankContents& contents) {
      for (const auto& [id, transaction] : contents.transactions) {
        if (transaction.state == protocol::BankTransactionState::kPrepared) stuck(id, banks_[n]->name());
      }
    });
  }
  if (violations().empty())
    checkers_.Report(kTermination, {}, {}, "some process did not come back or holds on to what is over");
}

// strife verify, and the auditor's view of the balances.
void Cluster::CheckBooks() {
  const auto gateway = OpenMemoryGatewayReader(gateway_disk_);
  std::vector<std::unique_ptr<BankReader>> readers;
  std::map<std::string, BankReader*> by_id;
  for (std::size_t n = 0; n < banks_.size(); ++n) {
    readers.push_back(OpenMemoryBankReader(bank_disks_[n]));
    by_id[banks_[n]->name()] = readers.back().get();
  }
  const auto report = verify::Verify(*gateway, by_id);
  STRIFE_ASSERT(report.has_value());
  for (const invariant::Violation& found : report->violations) {
    checkers_.Report(found.invariant, found.transaction_id, found.bank_id, found.sentence);
  }
  if (report->ok() && !report->clearing_checked) {
    checkers_.Report(kTermination, {}, {}, "the books are not closed: something is still open in them");
  }
  auditor_.Conclude(parts_.scenario.cluster, [&](std::size_t bank, const std::string& account) {
    const auto found = readers[bank]->FindAccount(account);
    return found && *found ? (*found)->posted : 0;
  });
}

void Cluster::Count() {
  counts_.runs = 1;
  counts_.payments = auditor_.counts();
  counts_.processes = parts_.counts;
  counts_.network = network_.counts();
  for (const auto& disk : disks_) {
    const DiskCounts& more = disk->counts();
    counts_.disks.commits += more.commits;
    counts_.disks.failed += more.failed;
    counts_.disks.refused += more.refused;
    counts_.disks.slow += more.slow;
  }
  counts_.nemesis = nemesis_->counts();
  counts_.events = world_.events();
  counts_.simulated = world_.now();
}

std::map<std::string, std::uint64_t> Cluster::EffectPoints() const {
  std::map<std::string, std::uint64_t> points;
  const auto note = [&](const auto& processes) {
    for (const auto& process : processes) points[process->name()] = process->effect_points();
  };
  note(gateways_);
  note(banks_);
  note(client_processes_);
  return points;
}

}  // namespace strife::sim
