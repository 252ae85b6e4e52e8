// Courier: delivers a user's queue in the background, on a thread of its own, for as long as it lives.
//
// Of all couriers on one data directory one delivers at a time, and only while it has something to deliver and the
// gateway can be reached; then any other may. It tries again after `reconnect_interval` at the latest, at once when
// woken, and, if it watches the connection, at once when the gateway comes back.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "client/client.h"
#include "client/config.h"
#include "client/file_lock.h"
#include "client/queue.h"
#include "protocol/outbox.h"
#include "runtime/engine.h"
#include "runtime/inbox.h"

namespace strife::client {

// All of these run on the courier's thread and must not wait for it. Any may be empty.
struct CourierEvents {
  // A payment of the queue has ended, is parked, or is now followed.
  std::function<void(const OutboxItem&)> settled;
  // An attempt was answered, or not.
  std::function<void(const protocol::OutboxCall&, const rpc::CallResult<protocol::PaymentRecord>&)> attempted;
  // After each step.
  std::function<void(const protocol::OutboxStatus&)> status;
  // The queue cannot be read or written; the courier has stopped.
  std::function<void(const Error&)> failed;
};

class Courier {
 public:
  // Opens the queue and starts. `watch`: keep a connection of its own to notice when the gateway comes back.
  static Result<std::unique_ptr<Courier>> Start(const ClientConfig& config, CourierEvents events, bool watch);
  // As Stop.
  ~Courier();

  // Look at the queue and the session now, and try at once. Thread-safe.
  void Wake();
  // Ends at once; a payment that is on its way stays in the queue as such. Thread-safe, idempotent.
  void Stop();

 private:
  using Engine = runtime::Engine<protocol::Outbox, OutboxStore>;

  Courier(const ClientConfig& config, CourierEvents events, QueueFiles files, std::unique_ptr<Client> client,
          std::unique_ptr<OutboxStore> store);

  void Run();
  std::vector<protocol::OutboxInput> Gather();
  // Who is logged in, if that has changed.
  std::optional<protocol::SessionInput> LookForSession();
  bool Step();
  rpc::CallResult<protocol::PaymentRecord> Call(const protocol::OutboxCall& call);
  void CarryOut(const protocol::OutboxEffects& effects);
  void Tell(const protocol::OutboxEffects& effects);
  void Push(protocol::OutboxInput input);

  const ClientConfig config_;
  const CourierEvents events_;
  const QueueFiles files_;
  std::unique_ptr<OutboxStore> store_;
  protocol::Outbox outbox_;
  Engine engine_;
  runtime::Inbox<protocol::OutboxInput> inbox_;    // from other threads
  std::unique_ptr<Client> client_;                 // goes before the inbox, into which its watch tells
  std::vector<protocol::OutboxInput> own_inputs_;  // what came of the last step; must not be lost
  std::optional<FileLock> lock_;                   // held: this courier delivers
  bool wants_lock_ = false;
  std::optional<std::string> session_seen_;  // the refresh token last looked at; empty: nobody was logged in
  std::atomic<bool> stopping_ = false;
  std::mutex stop_mutex_;
  std::thread thread_;
};

}  // namespace strife::client
