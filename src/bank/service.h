// The bank's side of the API: checks and hands to the engine; reads go to a pool of workers.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "bank/bank_metrics.h"
#include "env/bank_store.h"
#include "env/clock.h"
#include "observability/log.h"
#include "protocol/participant.h"
#include "rpc/bank_api.h"
#include "runtime/worker_pool.h"
#include "server/disk_space.h"
#include "server/event_counts.h"

namespace strife::bank {

// Thread-safe. Everything passed by reference must outlive it.
class BankService final : public rpc::BankApi {
 public:
  struct Parts {
    BankReader& reader;
    Clock& clock;
    runtime::WorkerPool& workers;
    Logger& log;  // banktransactions.log
    server::EventCounts& events;
    BankMetrics& metrics;
    // Puts all inputs into the engine's inbox, or none and false when it is full or closed.
    std::function<bool(std::vector<protocol::ParticipantInput>)> submit;
    // Asks the gateway about a transaction and puts its answer into the engine's inbox.
    std::function<void(const protocol::Inquiry&)> inquire;
    const server::DiskSpace& disk;
    const protocol::Participant& participant;  // read on the engine's thread only
  };

  explicit BankService(Parts parts)
      : parts_(std::move(parts)),
        prepared_(parts_.participant.prepared_count()),
        gateway_seen_(parts_.participant.gateway_seen()) {}

  // From now on nothing new is taken.
  void StartDraining() { draining_ = true; }

  // Commands taken and not yet answered.
  std::size_t queued_commands() const { return queued_commands_; }
  // The gateway store the bank works with and how far it had got.
  std::optional<GatewaySeen> gateway_seen() const;

  // Sends and answers what the engine has made durable. On the engine's thread.
  void Deliver(protocol::ParticipantEffects effects);

  void Execute(rpc::Caller caller, std::vector<protocol::BankCommand> commands,
               rpc::Done<std::vector<protocol::BankReply>> done) override;
  void GetBalance(rpc::Caller caller, std::string account_id, rpc::Done<rpc::Balance> done) override;
  void GetTransactionStatus(rpc::Caller caller, std::string transaction_id,
                            rpc::Done<rpc::TransactionStatus> done) override;
  void GetLedgerTotals(rpc::Caller caller, rpc::Done<rpc::LedgerTotalsResponse> done) override;
  void ProcessTransaction(rpc::Caller caller, rpc::DirectRequest request, rpc::Done<rpc::DirectResponse> done) override;

 private:
  void Log(const protocol::BankTransactionRecord& record, const protocol::TraceRecord* trace);
  void Log(const protocol::ParticipantEvent& event);

  const Parts parts_;
  std::atomic<bool> draining_ = false;
  std::atomic<std::size_t> queued_commands_ = 0;
  std::atomic<std::size_t> prepared_ = 0;
  mutable std::mutex mutex_;
  std::optional<GatewaySeen> gateway_seen_;  // guarded by mutex_
};

}  // namespace strife::bank
