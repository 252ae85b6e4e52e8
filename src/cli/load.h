// Closed-loop load: a fixed number of payments always on their way, each followed by the next when it is answered.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "base/currency.h"
#include "base/result.h"
#include "base/time.h"
#include "cli/histogram.h"
#include "protocol/types.h"
#include "rpc/gateway_client.h"

namespace strife::cli {

struct LoadUser {
  std::string username;
  std::string password;
  rpc::SessionGrant session;
};

struct LoadOptions {
  int outstanding = 64;
  Duration warm_up = std::chrono::seconds(2);
  Duration duration = std::chrono::seconds(10);  // measured, after the warm-up
  std::uint64_t count = 0;                       // measured payments, after the warm-up; 0: go by duration
  Currency currency;
};

struct LoadResult {
  Duration measured{};                            // length of the measured part
  std::uint64_t completed = 0;                    // in it
  std::uint64_t sent = 0;                         // in all, warm-up included
  std::uint64_t asked_again = 0;                  // outcome unknown or not final at first, asked again with the same id
  std::uint64_t unresolved = 0;                   // still not known in the end
  Histogram latency;                              // of those completed in the measured part
  std::map<std::string, std::uint64_t> failures;  // by reason, in the measured part
};

class ClosedLoop {
 public:
  // REQUIRES: at least two users, with accounts at two banks at least, logged in.
  ClosedLoop(std::vector<rpc::GatewayClient*> gateways, std::vector<LoadUser>* users, const LoadOptions& options);

  // Returns when every payment that was sent has been answered for good, or a minute after the end.
  LoadResult Run();

 private:
  // One of the payments on their way. Touched by one thread at a time: its call's callback, or Run's when parked.
  struct Slot {
    std::mt19937_64 random;
    rpc::GatewayClient* gateway = nullptr;
    protocol::PaymentOrder order;
    std::size_t user = 0;
    std::chrono::steady_clock::time_point sent_at;
    Histogram latency;
    std::map<std::string, std::uint64_t> failures;
    std::uint64_t completed = 0;
    std::uint64_t sent = 0;
    std::uint64_t asked_again = 0;
  };

  void Next(Slot& slot);
  void Send(Slot& slot);
  void Answered(Slot& slot, rpc::CallResult<protocol::PaymentRecord> answer);
  void Account(Slot& slot, const protocol::PaymentRecord* payment, const std::string& reason);
  bool Measuring(std::chrono::steady_clock::time_point now) const;
  bool Over(std::chrono::steady_clock::time_point now) const;
  void RefreshSessions();
  LoadResult Collect();

  std::vector<LoadUser>* users_;  // outlives this
  LoadOptions options_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::pair<std::size_t, protocol::AccountRef>> accounts_;  // of all users, with the user's index
  std::chrono::steady_clock::time_point measure_from_, measure_until_;
  std::atomic<std::uint64_t> measured_{0};
  std::atomic<bool> count_reached_{false};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot*> parked_;                               // to be asked again; guarded, as are the two below
  int running_ = 0;                                         // slots that have not ended
  std::vector<std::shared_ptr<const std::string>> tokens_;  // by user
  std::chrono::steady_clock::time_point reached_at_;        // when `count` was reached
};

}  // namespace strife::cli
