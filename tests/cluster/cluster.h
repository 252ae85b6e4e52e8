// One gateway, a few banks and their clients.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cluster/node.h"
#include "protocol/coordinator.h"
#include "protocol/participant.h"
#include "storage/memory/memory_bank_store.h"
#include "storage/memory/memory_gateway_store.h"

namespace strife::cluster {

// The coordinator as the engine wants it.
struct GatewayMachine {
  using Input = protocol::CoordinatorInput;
  using Keys = GatewayKeys;
  using Rows = GatewayRows;
  struct Effects {
    GatewayRecords records;
    protocol::CoordinatorEffects out;
  };

  void CollectKeys(const Input& input, Keys& keys) const { coordinator.CollectKeys(input, keys.payments); }
  Effects Step(const Now& now, std::vector<Input> inputs, Rows rows) {
    return Wrap(coordinator.Step(now, std::move(inputs), std::move(rows.payments)));
  }
  std::optional<MonotonicTime> NextDeadline() const { return coordinator.NextDeadline(); }

  Effects Wrap(protocol::CoordinatorEffects out) const {
    GatewayRecords records;
    records.payments = out.payments;
    records.banks = out.banks;
    records.sequence = coordinator.sequence();
    return {std::move(records), std::move(out)};
  }

  protocol::Coordinator coordinator;
};

class Cluster;

class GatewayNode final : public Node<GatewayMachine, GatewayStore, MemoryGatewayDisk> {
 public:
  GatewayNode(Cluster& cluster, World& world, std::shared_ptr<MemoryGatewayDisk> disk)
      : Node(world, std::move(disk)), cluster_(cluster) {}

  // `answered` is told the decision, or that there was none to be had.
  void Inquire(protocol::InquiryInput input,
               std::function<void(std::optional<protocol::Decision>, std::uint64_t)> answered);
  void Submit(const protocol::PaymentOrder& order);

 private:
  Effects Boot() override;
  Sending Sends(Effects effects) override;
  void Stopped() override;
  void Call(const std::string& bank_id, std::vector<protocol::BankCommand> commands);
  void CheckStability(const std::vector<protocol::PaymentRecord>& payments);

  Cluster& cluster_;
  std::uint64_t last_call_ = 0;
  std::set<std::uint64_t> submits_;  // waiting for their answer
  std::map<std::uint64_t, std::function<void(std::optional<protocol::Decision>, std::uint64_t)>> inquiries_;
  std::map<Uuid, protocol::PaymentState> decided_;  // as recorded durably
};

class BankNode final : public Node<protocol::Participant, BankStore, MemoryBankDisk> {
 public:
  BankNode(Cluster& cluster, World& world, std::shared_ptr<MemoryBankDisk> disk, int number)
      : Node(world, std::move(disk)), cluster_(cluster), number_(number) {}

  std::string id() const { return "bank" + std::to_string(number_); }
  // One message of the gateway; all its commands are answered at once.
  void Execute(const std::vector<protocol::BankCommand>& commands,
               std::function<void(std::vector<protocol::BankReply>)> answered);
  void Heartbeat();

 private:
  struct Batch {
    std::size_t size;
    std::vector<protocol::BankReply> replies;
    std::function<void(std::vector<protocol::BankReply>)> answered;
  };
  Effects Boot() override;
  Sending Sends(Effects effects) override;
  void Stopped() override { batches_.clear(); }

  Cluster& cluster_;
  const int number_;
  std::uint64_t last_batch_ = 0;
  std::map<std::uint64_t, Batch> batches_;
};

class Cluster {
 public:
  static constexpr int kBanks = 3;
  static constexpr int kAccountsPerBank = 2;
  static constexpr std::int64_t kOpening = 500;

  explicit Cluster(std::uint64_t seed);

  // Lets faults happen for a while, then lets everything calm down and end.
  void Run(int payments);
  // Everything protocol.md promises about the books and what clients were told; adds test failures.
  void Check();

  void Told(const protocol::SubmitAnswer& answer);
  void ReportViolation(const std::string& what);

  World world;
  std::shared_ptr<MemoryGatewayDisk> gateway_disk = std::make_shared<MemoryGatewayDisk>();
  std::vector<std::shared_ptr<MemoryBankDisk>> bank_disks;
  std::unique_ptr<GatewayNode> gateway;
  std::vector<std::unique_ptr<BankNode>> banks;
  BankNode& bank(const std::string& id) { return *banks.at(static_cast<std::size_t>(id.back() - '0')); }

 private:
  struct Client {
    protocol::PaymentOrder order;
    int asks_left = 2;  // after a final answer it asks once more
    std::set<protocol::PaymentState> told;
  };
  void Ask(Client& client);
  bool Ended() const;
  void CheckBooks(int bank_number, std::int64_t& clearing);
  void CheckPayment(const Client& client);

  std::map<Uuid, Client> clients_;
  std::vector<std::string> violations_;
};

}  // namespace strife::cluster
