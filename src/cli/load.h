// Load on a gateway. Closed: so many calls always on their way, each followed by the next when it is answered. Open:
// calls at a rate, whether or not those before have been answered.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cli/arrivals.h"
#include "cli/histogram.h"
#include "cli/load_mix.h"
#include "protocol/types.h"
#include "rpc/gateway_client.h"

namespace strife::cli {

struct LoadUser {
  std::string username;
  std::string password;
  rpc::SessionGrant session;
};

struct LoadOptions {
  int outstanding = 64;  // calls on their way at a time; in an open loop at most
  double rate = 0;       // payments and reads a second, by chance: an open loop; 0: a closed one
  Duration warm_up = std::chrono::seconds(2);
  Duration duration = std::chrono::seconds(10);  // measured, after the warm-up
  std::uint64_t count = 0;                       // measured payments, after the warm-up; 0: go by duration
  MixOptions mix;
  // Run on the thread of Load::Run when the measured part begins and when it has ended.
  std::function<void()> measuring_begins{};
  std::function<void()> measuring_ended{};
};

// Latencies are from the moment a call was made or, in an open loop, was to be made, until its answer was read.
struct LoadResult {
  Duration measured{};                            // length of the measured part
  std::uint64_t completed = 0;                    // payments in it
  std::uint64_t reads = 0;                        // in it
  std::uint64_t sent = 0;                         // payments in all, warm-up included
  std::uint64_t sent_late = 0;                    // calls in all that were made over 1 ms after they were to be made
  std::uint64_t asked_again = 0;                  // outcome unknown or not final at first, asked again with the same id
  std::uint64_t unresolved = 0;                   // still not known in the end
  Histogram latency;                              // of those completed in the measured part
  Histogram read_latency;                         // of the reads in it
  std::map<std::string, std::uint64_t> failures;  // by reason, in the measured part
};

class Load {
 public:
  // REQUIRES: users logged in; `mix` made of their accounts.
  Load(std::vector<rpc::GatewayClient*> gateways, std::vector<LoadUser>* users, const LoadMix& mix,
       const LoadOptions& options);

  // Returns when every payment that was sent has been answered for good, or a minute after the end.
  LoadResult Run();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  using PaymentAnswer = rpc::CallResult<protocol::PaymentRecord>;

  // One of the calls on their way. Touched by one thread at a time: its call's callback, or Run's when parked or free.
  struct Slot {
    LoadMix::Random random;
    rpc::GatewayClient* gateway = nullptr;
    bool looking = false;  // the call is a read
    std::vector<protocol::PaymentOrder>
        orders;            // of the last call that paid; only those without an end are asked again
    std::size_t user = 0;  // who pays them
    TimePoint sent_at;     // or was to be sent
    TimePoint not_before;  // when parked: when to ask again
  };

  void Next(Slot& slot, TimePoint at);
  void Send(Slot& slot);
  void Look(Slot& slot, std::size_t user, const std::string& bank_id);
  void Looked(Slot& slot, const rpc::CallError* error);
  void Answered(Slot& slot, std::span<const PaymentAnswer> answers);
  void Account(Slot& slot, const PaymentAnswer& answer, TimePoint now);
  void Free(Slot& slot);
  void Park(Slot& slot, TimePoint not_before);
  void SendDue();
  void AskAgain();
  void PassBoundaries(TimePoint now);
  void WaitForNews(TimePoint now);
  bool AllEnded(TimePoint now);
  bool Measuring(TimePoint now) const;
  bool Over(TimePoint now) const { return now >= measure_until_ || count_reached_; }
  std::shared_ptr<const std::string> TokenOf(std::size_t user);
  void KeepSessions(const std::stop_token& stop);
  LoadResult Collect();

  std::vector<rpc::GatewayClient*> gateways_;  // outlive this, as do the two below
  std::vector<LoadUser>* users_;
  const LoadMix& mix_;
  LoadOptions options_;
  std::vector<std::unique_ptr<Slot>> slots_;
  TimePoint start_, measure_from_, measure_until_;
  std::atomic<std::uint64_t> measured_{0};
  std::atomic<bool> count_reached_{false};

  // Of Run's thread alone.
  std::optional<Arrivals> arrivals_;  // in an open loop
  TimePoint due_;                     // the next arrival
  TimePoint next_tick_;
  bool began_ = false, ended_ = false;  // the measured part

  std::mutex mutex_;
  std::condition_variable changed_;
  bool news_ = false;          // for Run; guarded, as are those below
  bool slot_wanted_ = false;   // a call is due and no slot free
  std::vector<Slot*> free_;    // in an open loop
  std::vector<Slot*> parked_;  // to be asked again
  std::size_t running_ = 0;    // slots that are neither free nor ended
  TimePoint reached_at_;       // when `count` was reached

  std::mutex result_mutex_;
  LoadResult result_;  // so far; guarded

  std::mutex token_mutex_;
  std::vector<std::shared_ptr<const std::string>> tokens_;  // by user; guarded
};

}  // namespace strife::cli
