// OutboxStore: a client's durable queue of payments. Several programs may have it open at once.
//
// A cycle is Load, then Commit or Release: from one to the other no other program writes, so that what is decided on
// the rows loaded still holds when it is written. OutboxReader is for looking only and never waits.
// Implementations: storage/memory (simulation) and storage/sqlite; one contract test runs on both.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "protocol/outbox_types.h"

namespace strife {

using protocol::OutboxItem;
using protocol::OutboxKeys;
using protocol::OutboxRecords;
using protocol::OutboxRows;

// One thread at a time. After kStorage nothing more may be done with it.
class OutboxStore {
 public:
  virtual ~OutboxStore() = default;

  // Begins a cycle; waits while another program is in one. A row that cannot be read comes with its `damage` told.
  // REQUIRES: no cycle has begun.
  virtual Result<OutboxRows> Load(const OutboxKeys& keys) = 0;
  // Durable when it returns; the cycle is over. Any error means nothing may be sent (rule 15); after kInternal, a
  // record that may not exist, nothing was written, after kStorage it is unknown whether it was. REQUIRES: a cycle has
  // begun.
  virtual Status Commit(const OutboxRecords& records) = 0;
  // Ends a cycle that has nothing to write; nothing happens when none has begun.
  virtual void Release() = 0;
};

// Thread-safe. A call sees everything committed before it started.
class OutboxReader {
 public:
  virtual ~OutboxReader() = default;

  // A user's items by sequence, from the one after `after`, at most `limit`.
  virtual Result<std::vector<OutboxItem>> List(const std::string& user, std::uint64_t after, int limit) = 0;
  virtual Result<std::optional<OutboxItem>> Find(const Uuid& id) = 0;
  // The items of a user that have ended or are parked and of which nobody has been told, by sequence, at most `limit`.
  virtual Result<std::vector<OutboxItem>> Untold(const std::string& user, int limit) = 0;
};

}  // namespace strife
