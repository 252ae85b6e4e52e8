#include "client/queue.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/test_directory.h"
#include "client/file_lock.h"

namespace strife::client {
namespace {

namespace fs = std::filesystem;
using protocol::OutboxOutcome;
using protocol::OutboxState;

protocol::PaymentOrder OrderOf(std::uint8_t n, std::string user = "ann") {
  Uuid id;
  id.bytes[15] = n;
  return {id, std::move(user), {"bank1", "a"}, {"bank2", "b"}, {100, *Currency::Parse("USD")}, ""};
}

class QueueTest : public ::testing::Test {
 protected:
  TestDirectory folder_;
  std::unique_ptr<Queue> queue_ = Queue::Open(folder_ / "data").value();
};

TEST_F(QueueTest, Enqueue_IsThereForEveryOtherProgramAndAfterARestart) {
  auto other = Queue::Open(folder_ / "data").value();
  ASSERT_EQ(queue_->Enqueue(OrderOf(1))->outcome, OutboxOutcome::kAccepted);
  EXPECT_EQ(other->List("ann")->size(), 1u);
  EXPECT_EQ(other->Enqueue(OrderOf(1))->outcome, OutboxOutcome::kAlreadyQueued);
  queue_ = Queue::Open(folder_ / "data").value();
  EXPECT_EQ(queue_->List("ann")->front().order, OrderOf(1));
}

TEST_F(QueueTest, List_ShowsOnesOwnInOrderHoweverMany) {
  for (int n = 1; n <= 5; ++n) ASSERT_TRUE(queue_->Enqueue(OrderOf(static_cast<std::uint8_t>(n))));
  ASSERT_TRUE(queue_->Enqueue(OrderOf(9, "bob")));
  auto items = queue_->List("ann").value();
  ASSERT_EQ(items.size(), 5u);
  for (std::uint64_t n = 0; n < 5; ++n) EXPECT_EQ(items[n].sequence, n + 1);
}

TEST_F(QueueTest, TakeUntold_TellsEachEndOnce) {
  ASSERT_TRUE(queue_->Enqueue(OrderOf(1)));
  EXPECT_TRUE(queue_->TakeUntold("ann")->empty());
  // As a courier would have left it.
  auto store = OpenQueueStore(PrepareQueueFiles(folder_ / "data").value()).value();
  OutboxItem item = store->Load({{OrderOf(1).id}, {}})->items.begin()->second;
  item.state = OutboxState::kDone;
  ASSERT_TRUE(store->Commit({.items = {item}, .removed = {}, .remove_ended = {}}));
  ASSERT_EQ(queue_->TakeUntold("ann")->size(), 1u);
  EXPECT_TRUE(queue_->TakeUntold("ann")->empty());
  EXPECT_EQ(queue_->List("ann")->front().state, OutboxState::kDone) << "told is not acknowledged";
}

TEST_F(QueueTest, Acknowledge_TakesItOffTheList) {
  ASSERT_TRUE(queue_->Enqueue(OrderOf(1)));
  EXPECT_EQ(queue_->Acknowledge("ann", OrderOf(1).id)->outcome, OutboxOutcome::kNotEnded);
  ASSERT_TRUE(queue_->Cancel("ann", OrderOf(1).id));
  EXPECT_EQ(queue_->Acknowledge("ann", OrderOf(1).id)->outcome, OutboxOutcome::kAccepted);
  EXPECT_TRUE(queue_->List("ann")->empty());
}

TEST_F(QueueTest, FolderAndFiles_AreForTheOwnerOnly) {
  struct stat status{};
  ASSERT_EQ(::stat((folder_ / "data").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  for (const auto& entry : fs::directory_iterator(folder_ / "data")) {
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0077, 0u) << entry.path();
  }
}

TEST_F(QueueTest, SenderLock_IsHeldByOneAtATime) {
  const auto files = PrepareQueueFiles(folder_ / "data").value();
  auto first = FileLock::TryAcquire(files.sending);
  ASSERT_TRUE(first);
  EXPECT_FALSE(FileLock::TryAcquire(files.sending));
  first = std::unexpected(Error{});
  EXPECT_TRUE(FileLock::TryAcquire(files.sending));
}

}  // namespace
}  // namespace strife::client
