// A gateway: the production coordinator and engine on a memory store.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/coordinator.h"
#include "sim/node.h"
#include "storage/memory/memory_gateway_store.h"

namespace strife::sim {

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
    return Take(coordinator.Step(now, std::move(inputs), std::move(rows.payments), std::move(rows.traces)));
  }
  std::optional<MonotonicTime> NextDeadline() const { return coordinator.NextDeadline(); }
  Effects Take(protocol::CoordinatorEffects out) const;

  protocol::Coordinator coordinator;
};

class GatewayProcess final : public Node<GatewayMachine, GatewayStore> {
 public:
  // What a bank that asked is told: the decision if there was one to be had, and the gateway's epoch.
  using InquiryAnswered = std::function<void(std::optional<protocol::Decision>, std::uint64_t epoch)>;
  using Found = std::function<void(const std::optional<protocol::PaymentRecord>&)>;
  using SubmitAnswered = std::function<void(const protocol::SubmitAnswer&)>;

  GatewayProcess(Parts& parts, std::size_t number, std::string name, Disk& disk,
                 std::shared_ptr<MemoryGatewayDisk> store)
      : Node(parts, number, std::move(name), disk), memory_(std::move(store)) {}

  // Requests as they arrive; the answers are sent back over the network to `from`.
  // `cancel`: to give it up.
  void Submit(const Process& from, const protocol::PaymentOrder& order, bool cancel, SubmitAnswered answered);
  void Inquire(const Process& from, protocol::InquiryInput input, InquiryAnswered answered);
  void Register(protocol::RegisterInput input);
  // A user looks one of its payments up; nothing is found of other users' payments.
  void Find(const Process& from, const std::string& user, const Uuid& id, Found found);
  // Whether anybody is there.
  void Greet(const Process& from, std::function<void()> answered);

 private:
  struct WaitingClient {
    const Process* from;
    Uuid id;
    SubmitAnswered answered;
  };
  struct WaitingBank {
    const Process* from;
    Uuid id;
    InquiryAnswered answered;
  };

  Result<Effects> Boot() override;
  Sending Sends(Effects effects) override;
  void Forget() override;
  void OnFenced() override;
  void PlanRestart() override;

  void SendCommands(std::vector<protocol::AddressedCommand> commands, Sending& sends);
  void Call(std::size_t bank, const std::vector<protocol::BankCommand>& commands);
  void SendAnswer(const protocol::SubmitAnswer& answer, Sending& sends);
  void SendAnswer(const protocol::InquiryAnswer& answer, Sending& sends);
  void NoteEvents(const std::vector<protocol::CoordinatorEvent>& events);
  bool IsReplaced() const;
  void TellOfRecords(const GatewayRecords& records);

  std::shared_ptr<MemoryGatewayDisk> memory_;
  bool fenced_ = false;
  std::uint64_t last_call_ = 0;
  std::map<std::uint64_t, WaitingClient> clients_;
  std::map<std::uint64_t, WaitingBank> banks_;
};

}  // namespace strife::sim
