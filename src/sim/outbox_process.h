// A client as Strife's own is made: the production outbox on a memory store, and a courier that carries out its calls.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "protocol/coordinator.h"
#include "protocol/outbox.h"
#include "sim/node.h"
#include "sim/payment_client.h"
#include "storage/memory/memory_outbox_store.h"

namespace strife::sim {

class OutboxProcess final : public Node<protocol::Outbox, OutboxStore>, public PaymentClient {
 public:
  OutboxProcess(Parts& parts, std::size_t number, std::string name, std::string user, Disk& disk)
      : Node(parts, number, std::move(name), disk), user_(std::move(user)) {}

  void Enter(const PlannedPayment& planned) override;
  bool Finished() const override { return unfinished_.empty(); }
  std::vector<Uuid> Unfinished() const override { return {unfinished_.begin(), unfinished_.end()}; }

 private:
  Result<Effects> Boot() override;
  Sending Sends(Effects effects) override;
  void Forget() override {}
  void OnAlarm() override { Push(protocol::TickInput{}); }

  void Durable(const OutboxRecords& records);
  void TryToEnter(const PlannedPayment& planned);
  // The user hears how it stands; a payment that only waits for its bank to register is tried again.
  void Settle(const protocol::OutboxItem& item);
  void Connect();
  void Carry(const protocol::OutboxCall& call);
  void Delivered(const protocol::OutboxCall& call, const protocol::DeliveryInput& delivery);

  const std::string user_;
  std::shared_ptr<MemoryOutboxDisk> memory_ = std::make_shared<MemoryOutboxDisk>();
  std::map<Uuid, PlannedPayment> planned_;  // entered
  std::set<Uuid> kept_;                     // on disk
  std::set<Uuid> unfinished_;               // entered, and the user has not heard the end
};

}  // namespace strife::sim
