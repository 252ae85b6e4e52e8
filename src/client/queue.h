// Queue: a user's durable queue of payments in the client's data directory. What is put in survives the program; a
// Courier delivers it, in this program or in another one.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "env/outbox_store.h"
#include "protocol/outbox.h"
#include "runtime/engine.h"

namespace strife::client {

// The files of a queue in a data directory.
struct QueueFiles {
  std::filesystem::path database;  // outbox.db
  std::filesystem::path opening;   // locked while the database is opened
  std::filesystem::path sending;   // locked by whoever delivers just now
};

// Makes the data directory (0700) and the lock files (0600) when they are missing.
Result<QueueFiles> PrepareQueueFiles(const std::filesystem::path& data_dir);
Result<std::unique_ptr<OutboxStore>> OpenQueueStore(const QueueFiles& files);

// For one thread. Any number of queues, in any number of programs, may be open on one data directory. Sends nothing.
class Queue {
 public:
  static Result<std::unique_ptr<Queue>> Open(const std::filesystem::path& data_dir);

  // Durable when it returns kAccepted. `order.payer` is the user whose session is to send it. The id decides whether it
  // is the same payment: kAlreadyQueued when it is in the queue already.
  Result<protocol::OutboxAnswer> Enqueue(const protocol::PaymentOrder& order,
                                         std::optional<WallTime> expires_at = std::nullopt);
  // These answer as OutboxOutcome says.
  Result<protocol::OutboxAnswer> Cancel(const std::string& user, const Uuid& id);
  Result<protocol::OutboxAnswer> Retry(const std::string& user, const Uuid& id);
  Result<protocol::OutboxAnswer> Acknowledge(const std::string& user, const Uuid& id);
  // All of a user's items that have ended before `before`; parked ones stay.
  Status AcknowledgeEnded(const std::string& user, WallTime before);

  Result<std::vector<OutboxItem>> List(const std::string& user);
  Result<std::optional<OutboxItem>> Find(const Uuid& id) { return reader_->Find(id); }
  // What has ended, or is parked, and nobody has been shown; marks it as shown.
  Result<std::vector<OutboxItem>> TakeUntold(const std::string& user);

 private:
  Queue(std::unique_ptr<OutboxStore> store, std::unique_ptr<OutboxReader> reader);
  Result<protocol::OutboxEffects> Cycle(protocol::OutboxInput input);
  Result<protocol::OutboxAnswer> Ask(protocol::OutboxInput input);

  std::unique_ptr<OutboxStore> store_;
  std::unique_ptr<OutboxReader> reader_;
  protocol::Outbox outbox_;  // never told that it may send
  runtime::Engine<protocol::Outbox, OutboxStore> engine_;
};

}  // namespace strife::client
