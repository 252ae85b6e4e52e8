#include "sim/storage.h"

namespace strife::sim {
namespace {

class FaultyGatewayStore final : public GatewayStore {
 public:
  FaultyGatewayStore(std::unique_ptr<GatewayStore> store, Disk& disk, Process& process,
                     std::function<void(const GatewayRecords&)> durable)
      : store_(std::move(store)), disk_(disk), process_(process), durable_(std::move(durable)) {}

  Result<GatewayIncarnation> OpenIncarnation(const Uuid& store_id_if_new) override {
    Result<GatewayIncarnation> incarnation;
    Status written = disk_.Write(process_, [&]() -> Status {
      incarnation = store_->OpenIncarnation(store_id_if_new);
      if (!incarnation) return std::unexpected(incarnation.error());
      return {};
    });
    if (!written) return std::unexpected(std::move(written.error()));
    return incarnation;
  }
  Result<std::vector<protocol::PaymentRecord>> LoadOpenPayments() override { return store_->LoadOpenPayments(); }
  Result<GatewayRows> Load(const GatewayKeys& keys) override { return store_->Load(keys); }
  Status Commit(const GatewayRecords& records) override {
    return disk_.Write(process_, [&] {
      Status committed = store_->Commit(records);
      if (committed) durable_(records);
      return committed;
    });
  }

 private:
  const std::unique_ptr<GatewayStore> store_;
  Disk& disk_;
  Process& process_;
  const std::function<void(const GatewayRecords&)> durable_;
};

class FaultyBankStore final : public BankStore {
 public:
  FaultyBankStore(std::unique_ptr<BankStore> store, Disk& disk, Process& process,
                  std::function<void(const BankRecords&)> durable)
      : store_(std::move(store)), disk_(disk), process_(process), durable_(std::move(durable)) {}

  Status Open(const std::string& bank_id) override { return store_->Open(bank_id); }
  Result<std::optional<GatewaySeen>> LoadGatewaySeen() override { return store_->LoadGatewaySeen(); }
  Result<std::vector<protocol::BankTransactionRecord>> LoadPrepared() override { return store_->LoadPrepared(); }
  Result<std::vector<protocol::HeuristicRecord>> LoadHeuristics() override { return store_->LoadHeuristics(); }
  Result<BankRows> Load(const BankKeys& keys) override { return store_->Load(keys); }
  Status Commit(const BankRecords& records) override {
    return disk_.Write(process_, [&] {
      Status committed = store_->Commit(records);
      if (committed) durable_(records);
      return committed;
    });
  }

 private:
  const std::unique_ptr<BankStore> store_;
  Disk& disk_;
  Process& process_;
  const std::function<void(const BankRecords&)> durable_;
};

class FaultyOutboxStore final : public OutboxStore {
 public:
  FaultyOutboxStore(std::unique_ptr<OutboxStore> store, Disk& disk, Process& process,
                    std::function<void(const OutboxRecords&)> durable)
      : store_(std::move(store)), disk_(disk), process_(process), durable_(std::move(durable)) {}

  // The engine writes nothing when there is nothing to write; no other program works on this store.
  Result<OutboxRows> Load(const OutboxKeys& keys) override {
    store_->Release();
    return store_->Load(keys);
  }
  Status Commit(const OutboxRecords& records) override {
    return disk_.Write(process_, [&] {
      Status committed = store_->Commit(records);
      if (committed) durable_(records);
      return committed;
    });
  }
  void Release() override { store_->Release(); }

 private:
  const std::unique_ptr<OutboxStore> store_;
  Disk& disk_;
  Process& process_;
  const std::function<void(const OutboxRecords&)> durable_;
};

}  // namespace

Duration Disk::CommitTime() {
  Random& random = world_.random();
  if (random.Chance(faults_.slow)) {
    ++counts_.slow;
    return random.Between(faults_.commit_least, std::max(faults_.commit_least, faults_.slow_most));
  }
  return random.Between(faults_.commit_least, faults_.commit_most);
}

void Disk::StopFaults() {
  faults_.fail = faults_.slow = 0;
  space_ = Space::kEnough;
}

std::unique_ptr<GatewayStore> OnDisk(std::unique_ptr<GatewayStore> store, Disk& disk, Process& process,
                                     std::function<void(const GatewayRecords&)> durable) {
  return std::make_unique<FaultyGatewayStore>(std::move(store), disk, process, std::move(durable));
}

std::unique_ptr<BankStore> OnDisk(std::unique_ptr<BankStore> store, Disk& disk, Process& process,
                                  std::function<void(const BankRecords&)> durable) {
  return std::make_unique<FaultyBankStore>(std::move(store), disk, process, std::move(durable));
}

std::unique_ptr<OutboxStore> OnDisk(std::unique_ptr<OutboxStore> store, Disk& disk, Process& process,
                                    std::function<void(const OutboxRecords&)> durable) {
  return std::make_unique<FaultyOutboxStore>(std::move(store), disk, process, std::move(durable));
}

}  // namespace strife::sim
