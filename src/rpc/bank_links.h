// The gateway's side of its connections to the banks: one queue per bank, one message in flight per bank.
//
// Everything that gathers while a message is on its way goes into the next one, so a slow bank holds up nobody else and
// a busy one gets large batches. A bank without the capability "execute-batch" gets single calls.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "observability/metrics.h"
#include "protocol/coordinator.h"
#include "rpc/api.h"
#include "rpc/payment_trace.h"
#include "security/certificate.h"
#include "security/live_credentials.h"

namespace strife::rpc {

struct BankLinksOptions {
  const security::LiveCredentials* credentials = nullptr;  // must outlive the links
  Duration call_timeout;                                   // how long a bank may take to answer one message
};

// How a bank is, as seen from here.
struct BankHealth {
  std::string bank_id;
  std::string endpoint;
  bool up = false;                         // it reports in time, and the last message to it was answered
  std::optional<WallTime> last_heartbeat;  // none since the gateway started
  Duration latency{};                      // of a message and its answer, lately; zero when there was none
  std::size_t queued = 0;                  // commands that wait for the message in flight
  bool ahead = false;                      // as protocol::BankRecord's
};

class BankLink;

// Thread-safe.
class BankLinks {
 public:
  // Told exactly once about every command sent: with the bank's replies, or that there are none. Run on the channels'
  // thread; must not block.
  struct Listener {
    std::function<void(protocol::BankRepliesInput)> replied;
    std::function<void(protocol::UndeliveredInput)> undelivered;
  };

  BankLinks(BankLinksOptions options, Listener listener);
  // Cancels what is in flight and waits until the listener has been told.
  ~BankLinks();

  // Makes the bank known, or changes where and how it is reached. Its identity is required to be that of the bank id.
  void Update(const protocol::BankRecord& bank);

  // Queues commands for a bank in order. Unknown bank: undelivered at once.
  void Send(const std::string& bank_id, std::vector<protocol::BankCommand> commands);

  void GetBalance(const std::string& bank_id, const std::string& account_id, Done<Balance> done);

  // What the bank tells about a transaction, or that it could not be asked within a moment. `done` runs exactly once.
  void GetTrace(const std::string& bank_id, const Uuid& id, std::function<void(BankTrace)> done);

  // The bank has registered, or said again that it is there.
  void Heard(const std::string& bank_id, WallTime now);

  // Messages to banks that are on their way: each will be told of to the listener, and is no longer counted then.
  const std::atomic<int>& on_their_way() const { return on_their_way_; }

  // By bank id. A bank is up when it has been heard within `patience`.
  std::vector<BankHealth> Health(WallTime now, Duration patience);
  void Collect(MetricWriter& writer, WallTime now, Duration patience);

 private:
  std::shared_ptr<BankLink> Find(const std::string& bank_id);
  std::vector<std::shared_ptr<BankLink>> All();

  const BankLinksOptions options_;
  const Listener listener_;
  std::atomic<int> on_their_way_ = 0;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<BankLink>> links_;
};

}  // namespace strife::rpc
