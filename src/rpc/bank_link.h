// One bank's queue and connection: the gRPC side of rpc/bank_links.h.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "rpc/bank_links.h"
#include "strife/v1/bank.grpc.pb.h"

namespace strife::rpc {

// Thread-safe. Kept alive by its calls in flight.
class BankLink : public std::enable_shared_from_this<BankLink> {
 public:
  BankLink(const BankLinksOptions& options, const BankLinks::Listener& listener, std::string bank_id)
      : options_(options), listener_(listener), bank_id_(std::move(bank_id)) {}

  void Update(const protocol::BankRecord& bank);
  void Send(std::vector<protocol::BankCommand> commands);
  void GetBalance(const std::string& account_id, Done<Balance> done);
  // Cancels what is in flight, gives up what is queued, and waits until the listener knows of all.
  void Close();

 private:
  struct BatchCall;

  // Sends the next batch unless one is in flight.
  void Pump(std::unique_lock<std::mutex> lock);
  void StartBatch(std::shared_ptr<BatchCall> call);
  void StartSingles(std::vector<protocol::BankCommand> commands);
  void Finished(std::vector<protocol::BankReply> replies, std::vector<protocol::UndeliveredInput::Command> undelivered);

  const BankLinksOptions options_;
  const BankLinks::Listener listener_;
  const std::string bank_id_;

  std::mutex mutex_;
  std::condition_variable idle_;
  std::shared_ptr<v1::Bank::Stub> stub_;
  std::string endpoint_;
  bool batches_ = false;  // the bank offers ExecuteBatch
  std::deque<protocol::BankCommand> queue_;
  bool in_flight_ = false;
  bool closed_ = false;
  std::vector<grpc::ClientContext*> contexts_;  // of the calls in flight
};

}  // namespace strife::rpc
