// Cluster: gateways, banks and clients in one thread under one seed, from the first start to the last answer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/bank_process.h"
#include "sim/client_process.h"
#include "sim/gateway_process.h"
#include "sim/nemesis.h"
#include "sim/outbox_process.h"
#include "sim/parts.h"

namespace strife::sim {

// What happened in a run; adds up over runs.
struct Counts {
  std::uint64_t runs = 0;
  AuditCounts payments;
  ProcessCounts processes;
  NetworkCounts network;
  DiskCounts disks;
  NemesisCounts nemesis;
  std::uint64_t events = 0;
  Duration simulated{};

  void Add(const Counts& other);
};

class Cluster {
 public:
  // What a test may want to have otherwise than the scenario and the seed say.
  struct Options {
    // Decides at every effect point instead of the scenario's crash rate.
    Fates fates;
    // Instead of a workload made by chance.
    std::optional<std::vector<PlannedPayment>> workload;
    // Tells the story of this transaction; the nil id: of processes and links alone.
    std::optional<Uuid> follow;
  };

  Cluster(const Scenario& scenario, std::uint64_t seed, Options options = {});
  ~Cluster();

  // Lets faults happen for a while, then lets everything calm down and end, and judges. Once.
  void Run();

  // Empty: all is well. In the order in which they were found.
  const std::vector<Violation>& violations() const { return checkers_.violations(); }
  const std::vector<StoryLine>& story() const { return world_.trace().story(); }
  // The same for two runs in which the same happened.
  std::uint64_t trace_hash() const { return world_.trace().hash(); }
  // Effect points each process has passed.
  std::map<std::string, std::uint64_t> EffectPoints() const;
  // What clients were told in the end.
  std::map<Uuid, protocol::PaymentState> Outcomes() const { return auditor_.Outcomes(); }
  const Counts& counts() const { return counts_; }
  const Scenario& scenario() const { return parts_.scenario; }

  // The disks, for tests that plant damage or look for themselves.
  MemoryGatewayDisk& gateway_disk() { return *gateway_disk_; }
  MemoryBankDisk& bank_disk(std::size_t bank) { return *bank_disks_.at(bank); }

 private:
  void Build();
  void StartAll();
  void RunToTheEnd();
  bool Ended() const;
  std::uint64_t epoch() const;  // of the newest gateway
  void CheckEnd();
  void CheckTermination();
  void CheckBooks();
  void Count();

  World world_;
  Network network_;
  Checkers checkers_;
  Auditor auditor_;
  Parts parts_;
  const std::uint64_t seed_;
  std::vector<PlannedPayment> workload_;
  std::shared_ptr<MemoryGatewayDisk> gateway_disk_ = std::make_shared<MemoryGatewayDisk>();
  std::vector<std::shared_ptr<MemoryBankDisk>> bank_disks_;
  std::vector<std::unique_ptr<Disk>> disks_;  // the gateways' first, then the banks'
  std::vector<std::unique_ptr<GatewayProcess>> gateways_;
  std::vector<std::unique_ptr<BankProcess>> banks_;
  std::vector<std::unique_ptr<Process>> client_processes_;
  std::vector<PaymentClient*> clients_;  // the same
  std::optional<Nemesis> nemesis_;
  Counts counts_;
};

}  // namespace strife::sim
