// BankLink: one bank's share of BankLinks.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "rpc/bank_link_stats.h"
#include "rpc/bank_links.h"
#include "rpc/live_channel.h"
#include "rpc/messages.h"
#include "strife/v1/bank.pb.h"

namespace strife::rpc {

// One bank's queue and connection. Thread-safe. Kept alive by its calls in flight.
class BankLink : public std::enable_shared_from_this<BankLink> {
 public:
  // `listener` and `on_their_way` must outlive the link.
  BankLink(const BankLinksOptions& options, const BankLinks::Listener& listener, std::atomic<int>& on_their_way,
           std::string bank_id)
      : options_(options),
        listener_(listener),
        on_their_way_(on_their_way),
        bank_id_(std::move(bank_id)),
        channel_(*options.credentials,
                 {options.credentials->identity().trust_domain, security::Role::kBank, bank_id_}) {}

  void Update(const protocol::BankRecord& bank);

  void Send(std::vector<protocol::BankCommand> commands);

  void GetBalance(const std::string& account_id, Done<Balance> done);
  void GetTrace(const Uuid& id, std::function<void(BankTrace)> done);

  BankHealth Health(WallTime now, Duration patience);
  BankLinkStats& stats() { return stats_; }
  const std::string& bank_id() const { return bank_id_; }

  // Cancels what is in flight, gives up what is queued, and waits until the listener knows of all.
  void Close();

 private:
  struct BatchCall;
  struct SingleCalls;
  using Calls = std::vector<std::shared_ptr<http2::ClientCall>>;

  // REQUIRES: the lock.
  void CancelCalls();
  // Sends the next message unless one is in flight. Returns with the lock released.
  void Pump(std::unique_lock<std::mutex>& lock);
  Calls Start(http2::Channel& channel, bool batches, std::vector<protocol::BankCommand> commands);
  std::shared_ptr<http2::ClientCall> StartBatch(http2::Channel& channel, std::vector<protocol::BankCommand> commands);
  void FinishBatch(const BatchCall& call, const http2::CallStatus& status, const v1::ExecuteBatchResponse& response);
  std::shared_ptr<http2::ClientCall> StartSingle(http2::Channel& channel, const std::shared_ptr<SingleCalls>& calls,
                                                 protocol::BankCommand command);
  template <typename Response>
  std::shared_ptr<http2::ClientCall> CallSingle(http2::Channel& channel, const std::shared_ptr<SingleCalls>& calls,
                                                const char* path, const google::protobuf::MessageLite& request,
                                                protocol::BankCommand command);
  // `sent_at`: none when nothing was sent.
  void Finished(std::vector<protocol::BankReply> replies, std::vector<protocol::UndeliveredInput::Command> undelivered,
                std::optional<WallTime> sent_at);
  void Measure(const http2::CallStatus& status, std::chrono::steady_clock::time_point started);

  const BankLinksOptions options_;
  const BankLinks::Listener& listener_;
  std::atomic<int>& on_their_way_;
  const std::string bank_id_;
  BankLinkStats stats_;

  LiveChannel channel_;
  std::mutex mutex_;
  std::condition_variable idle_;
  bool batches_ = false;  // the bank offers ExecuteBatch
  bool ahead_ = false;
  std::deque<protocol::BankCommand> queue_;
  bool in_flight_ = false;
  bool closed_ = false;
  std::shared_ptr<http2::Channel> called_on_;  // of the calls in flight
  Calls calls_;
  std::uint64_t message_ = 0;  // how many have been answered
};

}  // namespace strife::rpc
