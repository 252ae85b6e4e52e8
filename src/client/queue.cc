#include "client/queue.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/private_directory.h"
#include "client/file_lock.h"
#include "runtime/system_clock.h"
#include "storage/sqlite/outbox_sqlite.h"

namespace strife::client {
namespace {

namespace fs = std::filesystem;

constexpr protocol::ReplyTo kHere{1, 0};
constexpr int kListPage = 1000;
constexpr int kMaxToldAtOnce = 1000;

Status MakeLockFile(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Fail(ErrorCode::kStorage, "cannot create " + file.string() + ": " + std::strerror(errno));
  ::close(fd);
  return {};
}

}  // namespace

Result<QueueFiles> PrepareQueueFiles(const fs::path& data_dir) {
  if (auto made = MakePrivateDirectory(data_dir); !made) return std::unexpected(made.error());
  QueueFiles files{data_dir / "outbox.db", data_dir / "outbox.lock", data_dir / "sender.lock"};
  for (const fs::path& lock : {files.opening, files.sending}) {
    if (auto made = MakeLockFile(lock); !made) return std::unexpected(made.error());
  }
  return files;
}

Result<std::unique_ptr<OutboxStore>> OpenQueueStore(const QueueFiles& files) {
  auto lock = FileLock::Acquire(files.opening);
  if (!lock) return std::unexpected(lock.error());
  return OpenOutboxStore(files.database);
}

Queue::Queue(std::unique_ptr<OutboxStore> store, std::unique_ptr<OutboxReader> reader)
    : store_(std::move(store)), reader_(std::move(reader)), outbox_({}), engine_(outbox_, *store_) {}

Result<std::unique_ptr<Queue>> Queue::Open(const fs::path& data_dir) {
  auto files = PrepareQueueFiles(data_dir);
  if (!files) return std::unexpected(files.error());
  auto store = OpenQueueStore(*files);
  if (!store) return std::unexpected(store.error());
  auto reader = OpenOutboxReader(files->database);
  if (!reader) return std::unexpected(reader.error());
  return std::unique_ptr<Queue>(new Queue(std::move(*store), std::move(*reader)));
}

Result<protocol::OutboxEffects> Queue::Cycle(protocol::OutboxInput input) {
  std::vector<protocol::OutboxInput> inputs;
  inputs.push_back(std::move(input));
  auto effects = engine_.Cycle(runtime::SystemClock().Read(), std::move(inputs));
  store_->Release();
  return effects;
}

Result<protocol::OutboxAnswer> Queue::Ask(protocol::OutboxInput input) {
  auto effects = Cycle(std::move(input));
  if (!effects) return std::unexpected(std::move(effects.error()));
  STRIFE_ASSERT(effects->answers.size() == 1);
  return std::move(effects->answers.front());
}

Result<protocol::OutboxAnswer> Queue::Enqueue(const protocol::PaymentOrder& order, std::optional<WallTime> expires_at) {
  return Ask(protocol::EnqueueInput{kHere, order, expires_at});
}

Result<protocol::OutboxAnswer> Queue::Cancel(const std::string& user, const Uuid& id) {
  return Ask(protocol::CancelInput{kHere, user, id});
}

Result<protocol::OutboxAnswer> Queue::Retry(const std::string& user, const Uuid& id) {
  return Ask(protocol::RetryInput{kHere, user, id});
}

Result<protocol::OutboxAnswer> Queue::Acknowledge(const std::string& user, const Uuid& id) {
  return Ask(protocol::OutboxAcknowledgeInput{kHere, user, id});
}

Status Queue::AcknowledgeEnded(const std::string& user, WallTime before) {
  auto effects = Cycle(protocol::AcknowledgeEndedInput{user, before});
  if (!effects) return std::unexpected(std::move(effects.error()));
  return {};
}

Result<std::vector<OutboxItem>> Queue::List(const std::string& user) {
  std::vector<OutboxItem> all;
  for (;;) {
    auto page = reader_->List(user, all.empty() ? 0 : all.back().sequence, kListPage);
    if (!page) return page;
    const bool last = page->size() < static_cast<std::size_t>(kListPage);
    std::move(page->begin(), page->end(), std::back_inserter(all));
    if (last) return all;
  }
}

Result<std::vector<OutboxItem>> Queue::TakeUntold(const std::string& user) {
  auto items = reader_->Untold(user, kMaxToldAtOnce);
  if (!items || items->empty()) return items;
  protocol::ToldInput told;
  for (const OutboxItem& item : *items) told.ids.push_back(item.order.id);
  auto effects = Cycle(std::move(told));
  if (!effects) return std::unexpected(std::move(effects.error()));
  return items;
}

}  // namespace strife::client
