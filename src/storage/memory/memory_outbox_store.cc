#include "storage/memory/memory_outbox_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace strife {
namespace {

using protocol::IsEnded;
using protocol::IsWaiting;
using protocol::kOutboxWindow;
using protocol::OutboxState;

OutboxRows Find(const MemoryOutboxContents& contents, const OutboxKeys& keys) {
  OutboxRows rows;
  rows.complete_to = std::numeric_limits<std::uint64_t>::max();
  rows.last_sequence = contents.last_sequence;
  std::size_t followed = 0;
  for (const auto& [sequence, item] : contents.items) {
    rows.open += IsEnded(item.state) ? 0 : 1;
    bool wanted = std::ranges::find(keys.ids, item.order.id) != keys.ids.end();
    const bool mine = item.order.payer == keys.user;
    if (mine && item.state == OutboxState::kFollowed) wanted |= ++followed <= kOutboxWindow;
    if (mine && IsWaiting(item.state)) {
      wanted |= ++rows.waiting <= kOutboxWindow;
      if (rows.waiting == kOutboxWindow + 1) rows.complete_to = sequence - 1;
    }
    if (wanted) rows.items.emplace(sequence, item);
  }
  return rows;
}

class MemoryOutboxStore final : public OutboxStore {
 public:
  explicit MemoryOutboxStore(std::shared_ptr<MemoryOutboxDisk> disk) : disk_(std::move(disk)) {}

  Result<OutboxRows> Load(const OutboxKeys& keys) override {
    STRIFE_ASSERT(!cycle_.owns_lock());
    if (failed_) return std::unexpected(*failed_);
    cycle_ = std::unique_lock(disk_->cycle_mutex());
    OutboxRows rows;
    disk_->Access([&](MemoryOutboxContents& contents) { rows = Find(contents, keys); });
    return rows;
  }

  Status Commit(const OutboxRecords& records) override {
    STRIFE_ASSERT(cycle_.owns_lock());
    Status done = disk_->Commit(records);
    if (!done && done.error().code == ErrorCode::kStorage) failed_ = done.error();
    cycle_.unlock();
    return done;
  }

  void Release() override {
    if (cycle_.owns_lock()) cycle_.unlock();
  }

 private:
  std::shared_ptr<MemoryOutboxDisk> disk_;  // outlives the lock
  std::unique_lock<std::mutex> cycle_;
  std::optional<Error> failed_;
};

class MemoryOutboxReader final : public OutboxReader {
 public:
  explicit MemoryOutboxReader(std::shared_ptr<MemoryOutboxDisk> disk) : disk_(std::move(disk)) {}

  Result<std::vector<OutboxItem>> List(const std::string& user, std::uint64_t after, int limit) override {
    return Select(limit, [&](const OutboxItem& item) { return item.order.payer == user && item.sequence > after; });
  }

  Result<std::optional<OutboxItem>> Find(const Uuid& id) override {
    auto found = Select(1, [&](const OutboxItem& item) { return item.order.id == id; });
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
  }

  Result<std::vector<OutboxItem>> Untold(const std::string& user, int limit) override {
    return Select(limit, [&](const OutboxItem& item) {
      const bool settled = IsEnded(item.state) || item.state == OutboxState::kParked;
      return item.order.payer == user && settled && !item.told;
    });
  }

 private:
  std::vector<OutboxItem> Select(int limit, const std::function<bool(const OutboxItem&)>& wanted) {
    std::vector<OutboxItem> items;
    disk_->Access([&](MemoryOutboxContents& contents) {
      for (const auto& [sequence, item] : contents.items) {
        if (items.size() < static_cast<std::size_t>(std::max(limit, 0)) && wanted(item)) items.push_back(item);
      }
    });
    return items;
  }

  std::shared_ptr<MemoryOutboxDisk> disk_;
};

}  // namespace

void MemoryOutboxDisk::FailCommit(std::uint64_t nth, CommitFault fault) {
  const std::scoped_lock lock(mutex_);
  fault_.Set(nth, fault);
}

void MemoryOutboxDisk::Access(const std::function<void(MemoryOutboxContents&)>& use) {
  const std::scoped_lock lock(mutex_);
  use(contents_);
}

Status MemoryOutboxDisk::Commit(const OutboxRecords& records) {
  const std::scoped_lock lock(mutex_);
  const bool fails = fault_.Due();
  if (fails && fault_.fault() == CommitFault::kBeforeEffect) {
    return Fail(ErrorCode::kStorage, "the memory disk failed before the commit, as planned: restart");
  }
  for (const OutboxItem& item : records.items) {
    const bool known = contents_.items.contains(item.sequence);
    if (!known && item.order.amount.minor_units <= 0) {
      return Fail(ErrorCode::kInternal, "payment " + item.order.id.ToString() + " is not positive: this is a bug");
    }
  }
  for (const OutboxItem& item : records.items) {
    OutboxItem& kept = contents_.items.try_emplace(item.sequence, item).first->second;
    kept.state = item.state;
    kept.may_have_arrived = item.may_have_arrived;
    kept.attempts = item.attempts;
    kept.first_sent_at = item.first_sent_at;
    kept.last_sent_at = item.last_sent_at;
    kept.payment_state = item.payment_state;
    kept.reason_code = item.reason_code;
    kept.message = item.message;
    kept.updated_at = item.updated_at;
    kept.told = item.told;
    contents_.last_sequence = std::max(contents_.last_sequence, item.sequence);
  }
  for (const std::uint64_t sequence : records.removed) contents_.items.erase(sequence);
  if (records.remove_ended) {
    std::erase_if(contents_.items, [&](const auto& entry) {
      const OutboxItem& item = entry.second;
      return item.order.payer == records.remove_ended->user && IsEnded(item.state) &&
             item.updated_at < records.remove_ended->before;
    });
  }
  if (fails) return Fail(ErrorCode::kStorage, "the memory disk failed after the commit, as planned: restart");
  return {};
}

std::unique_ptr<OutboxStore> OpenMemoryOutboxStore(std::shared_ptr<MemoryOutboxDisk> disk) {
  return std::make_unique<MemoryOutboxStore>(std::move(disk));
}

std::unique_ptr<OutboxReader> OpenMemoryOutboxReader(std::shared_ptr<MemoryOutboxDisk> disk) {
  return std::make_unique<MemoryOutboxReader>(std::move(disk));
}

}  // namespace strife
