// Every promise of env/outbox_store.h, on every implementation.
#include <atomic>
#include <limits>
#include <thread>

#include "storage/memory/memory_outbox_store.h"
#include "storage/sqlite/outbox_sqlite.h"
#include "storage/sqlite/sqlite.h"
#include "storage/store_test_support.h"

namespace strife {
namespace {

using enum protocol::OutboxState;
using protocol::kOutboxWindow;

struct SqliteOutbox {
  TestDirectory folder;
  std::unique_ptr<OutboxStore> Open() { return OpenOutboxStore(folder / "outbox.db").value(); }
  std::unique_ptr<OutboxReader> Reading() { return OpenOutboxReader(folder / "outbox.db").value(); }
};

struct MemoryOutbox {
  std::shared_ptr<MemoryOutboxDisk> disk = std::make_shared<MemoryOutboxDisk>();
  std::unique_ptr<OutboxStore> Open() { return OpenMemoryOutboxStore(disk); }
  std::unique_ptr<OutboxReader> Reading() { return OpenMemoryOutboxReader(disk); }
};

OutboxItem ItemOf(std::uint32_t number, protocol::OutboxState state = kQueued, std::string user = "alice") {
  OutboxItem item;
  item.sequence = number;
  item.order = PaymentOf(number, std::move(user)).order;
  item.state = state;
  item.queued_at = At(100 + number);
  item.updated_at = At(200 + number);
  return item;
}

template <typename Maker>
class OutboxStoreContract : public ::testing::Test {
 protected:
  OutboxStoreContract() : store_(maker_.Open()) {}

  OutboxRows Load(OutboxKeys keys) {
    OutboxRows rows = store_->Load(keys).value();
    store_->Release();
    return rows;
  }
  void Commit(OutboxRecords records) {
    ASSERT_TRUE(store_->Load({}));
    const Status done = store_->Commit(records);
    ASSERT_TRUE(done) << done.error().message;
  }
  void CommitItems(std::vector<OutboxItem> items) {
    Commit({.items = std::move(items), .removed = {}, .remove_ended = {}});
  }
  std::vector<std::uint64_t> Sequences(const std::vector<OutboxItem>& items) {
    std::vector<std::uint64_t> sequences;
    for (const OutboxItem& item : items) sequences.push_back(item.sequence);
    return sequences;
  }

  Maker maker_;
  std::unique_ptr<OutboxStore> store_;
};

using OutboxMakers = ::testing::Types<MemoryOutbox, SqliteOutbox>;
TYPED_TEST_SUITE(OutboxStoreContract, OutboxMakers);

TYPED_TEST(OutboxStoreContract, Commit_EveryField_IsThereAfterReopening) {
  OutboxItem item = ItemOf(1, kFollowed);
  item.may_have_arrived = true;
  item.attempts = 3;
  item.first_sent_at = At(150);
  item.last_sent_at = At(170);
  item.payment_state = protocol::PaymentState::kPartialCommit;
  item.reason_code = "COMMIT_DELAYED";
  item.message = "a bank is late";
  item.expires_at = At(999);
  item.told = true;
  this->CommitItems({item});
  this->store_ = this->maker_.Open();
  const OutboxRows rows = this->Load({.ids = {IdOf(1)}, .user = "nobody"});
  ASSERT_EQ(rows.items.size(), 1u);
  EXPECT_EQ(rows.items.at(1), item);
}

TYPED_TEST(OutboxStoreContract, Commit_AgainForOneSequence_ChangesTheOutcomeNeverTheOrder) {
  this->CommitItems({ItemOf(1)});
  OutboxItem changed = ItemOf(1, kDone);
  changed.order.amount.minor_units = 999'999;
  changed.order.memo = "other";
  changed.queued_at = At(1);
  changed.reason_code = "AM04";
  this->CommitItems({changed});
  OutboxItem expected = ItemOf(1, kDone);
  expected.reason_code = "AM04";
  EXPECT_EQ(this->Load({.ids = {IdOf(1)}, .user = ""}).items.at(1), expected);
}

TYPED_TEST(OutboxStoreContract, Load_OnlyTheUsersOpenItemsAndTheIdsAskedFor) {
  this->CommitItems({ItemOf(1), ItemOf(2, kSent), ItemOf(3, kFollowed), ItemOf(4, kDone), ItemOf(5, kParked),
                     ItemOf(6, kQueued, "bob"), ItemOf(7, kCancelled), ItemOf(8, kExpired)});
  const OutboxRows rows = this->Load({.ids = {IdOf(6), IdOf(99)}, .user = "alice"});
  std::vector<std::uint64_t> found;
  for (const auto& [sequence, item] : rows.items) found.push_back(sequence);
  EXPECT_EQ(found, (std::vector<std::uint64_t>{1, 2, 3, 6}));
  EXPECT_EQ(rows.waiting, 2u);
  EXPECT_EQ(rows.open, 5u);
  EXPECT_EQ(rows.last_sequence, 8u);
  EXPECT_EQ(rows.complete_to, std::numeric_limits<std::uint64_t>::max());
}

TYPED_TEST(OutboxStoreContract, Load_OfALongQueue_SaysHowFarItIsComplete) {
  std::vector<OutboxItem> items;
  for (std::uint32_t n = 1; n <= 3 * kOutboxWindow; ++n) items.push_back(ItemOf(n, n % 2 == 0 ? kQueued : kDone));
  this->CommitItems(std::move(items));
  const OutboxRows rows = this->Load({.ids = {}, .user = "alice"});
  EXPECT_EQ(rows.items.size(), kOutboxWindow);
  EXPECT_EQ(rows.waiting, 3 * kOutboxWindow / 2);
  EXPECT_GE(rows.complete_to, 2 * kOutboxWindow);
  EXPECT_LT(rows.complete_to, 2 * kOutboxWindow + 2);
}

TYPED_TEST(OutboxStoreContract, Sequences_AreNotGivenOutAgainAfterTheirItemsAreGone) {
  this->CommitItems({ItemOf(1), ItemOf(2, kDone)});
  this->Commit({.items = {}, .removed = {2}, .remove_ended = {}});
  this->store_ = this->maker_.Open();
  EXPECT_EQ(this->Load({}).last_sequence, 2u);
}

TYPED_TEST(OutboxStoreContract, RemoveEnded_TakesOnlyTheUsersEndedItemsOfBefore) {
  this->CommitItems({ItemOf(1, kDone), ItemOf(2, kParked), ItemOf(3), ItemOf(4, kDone, "bob"), ItemOf(5, kCancelled),
                     ItemOf(6, kExpired)});
  this->Commit({.items = {}, .removed = {}, .remove_ended = OutboxRecords::RemoveEnded{"alice", At(206)}});
  auto reader = this->maker_.Reading();
  EXPECT_EQ(this->Sequences(reader->List("alice", 0, 100).value()), (std::vector<std::uint64_t>{2, 3, 6}));
  EXPECT_EQ(this->Sequences(reader->List("bob", 0, 100).value()), (std::vector<std::uint64_t>{4}));
}

TYPED_TEST(OutboxStoreContract, Reader_ListsFindsAndKnowsWhatNobodyWasTold) {
  OutboxItem told = ItemOf(2, kDone);
  told.told = true;
  this->CommitItems({ItemOf(1, kDone), told, ItemOf(3, kParked), ItemOf(4), ItemOf(5, kDone, "bob")});
  auto reader = this->maker_.Reading();
  EXPECT_EQ(this->Sequences(reader->List("alice", 1, 2).value()), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(this->Sequences(reader->Untold("alice", 10).value()), (std::vector<std::uint64_t>{1, 3}));
  EXPECT_EQ(reader->Find(IdOf(4)).value(), ItemOf(4));
  EXPECT_EQ(reader->Find(IdOf(77)).value(), std::nullopt);
}

TYPED_TEST(OutboxStoreContract, Release_NothingWasWrittenAndOthersMayGoOn) {
  auto other = this->maker_.Open();
  ASSERT_TRUE(this->store_->Load({}));
  this->store_->Release();
  this->store_->Release();
  ASSERT_TRUE(other->Load({}));
  EXPECT_TRUE(other->Commit({.items = {ItemOf(1)}, .removed = {}, .remove_ended = {}}));
  EXPECT_EQ(this->Load({}).last_sequence, 1u);
}

TYPED_TEST(OutboxStoreContract, Cycles_OfTwoProgramsExcludeEachOther) {
  constexpr int kEach = 50;
  const auto count_up = [&](OutboxStore& store) {
    for (int i = 0; i < kEach; ++i) {
      auto rows = store.Load({});
      ASSERT_TRUE(rows) << rows.error().message;
      const auto next = static_cast<std::uint32_t>(rows->last_sequence + 1);
      const Status done = store.Commit({.items = {ItemOf(next)}, .removed = {}, .remove_ended = {}});
      ASSERT_TRUE(done) << done.error().message;
    }
  };
  auto other = this->maker_.Open();
  std::thread thread([&] { count_up(*other); });
  count_up(*this->store_);
  thread.join();
  EXPECT_EQ(this->Load({}).open, 2u * kEach);
}

TYPED_TEST(OutboxStoreContract, Commit_OfARecordThatMayNotExist_WritesNothing) {
  OutboxItem bad = ItemOf(2);
  bad.order.amount.minor_units = -1;
  ASSERT_TRUE(this->store_->Load({}));
  const Status done = this->store_->Commit({.items = {ItemOf(1), bad}, .removed = {}, .remove_ended = {}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kInternal);
  EXPECT_EQ(this->Load({}).open, 0u);
}

// ---- The file ----

class OutboxFile : public ::testing::Test {
 protected:
  void Plant(const char* sql) {
    auto database = sqlite::Database::Open(file_, sqlite::Database::Mode::kReadWrite).value();
    ASSERT_TRUE(database.Execute("PRAGMA ignore_check_constraints = ON"));
    const Status done = database.Execute(sql);
    ASSERT_TRUE(done) << done.error().message;
  }

  TestDirectory folder_;
  const std::filesystem::path file_ = folder_ / "outbox.db";
};

TEST_F(OutboxFile, OnlyItsOwnerMayReadIt) {
  auto store = OpenOutboxStore(file_).value();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const auto mode = std::filesystem::status(file_.string() + suffix).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write) << suffix;
  }
}

TEST_F(OutboxFile, MalformedRow_AfterAnUncleanStop_DoesNotCondemnTheFile) {
  auto store = OpenOutboxStore(file_).value();
  ASSERT_TRUE(store->Load({}));
  ASSERT_TRUE(store->Commit({.items = {ItemOf(1)}, .removed = {}, .remove_ended = {}}));
  Plant("UPDATE queue SET amount = -5");
  ASSERT_GT(std::filesystem::file_size(file_.string() + "-wal"), 0u) << "as an unclean stop leaves it";
  auto again = OpenOutboxStore(file_);
  ASSERT_TRUE(again) << again.error().message;
  ASSERT_TRUE((*again)->Load({}));
  OutboxItem bad = ItemOf(2);
  bad.order.amount.minor_units = -1;
  EXPECT_FALSE((*again)->Commit({.items = {bad}, .removed = {}, .remove_ended = {}})) << "new rows are still checked";
}

TEST_F(OutboxFile, MalformedRow_IsToldByItselfAndCanBeParked) {
  auto store = OpenOutboxStore(file_).value();
  ASSERT_TRUE(store->Load({}));
  ASSERT_TRUE(
      store->Commit({.items = {ItemOf(1), ItemOf(2), ItemOf(3), ItemOf(4)}, .removed = {}, .remove_ended = {}}));
  Plant("UPDATE queue SET amount = -5 WHERE sequence = 1");
  Plant("UPDATE queue SET currency = 'XXXX' WHERE sequence = 2");
  Plant("UPDATE queue SET state = 99 WHERE sequence = 3");
  OutboxRows rows = store->Load({.ids = {IdOf(3)}, .user = "alice"}).value();
  EXPECT_EQ(rows.items.at(1).damage, "its amount cannot be read");
  EXPECT_EQ(rows.items.at(2).damage, "its currency cannot be read");
  EXPECT_EQ(rows.items.at(3).damage, "its state cannot be read");
  EXPECT_EQ(rows.items.at(3).state, kParked);
  EXPECT_EQ(rows.items.at(4), ItemOf(4));
  for (OutboxItem* item : {&rows.items.at(1), &rows.items.at(2)}) item->state = kParked;
  const Status done = store->Commit({.items = {rows.items.at(1), rows.items.at(2)}, .removed = {}, .remove_ended = {}});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(store->Load({.ids = {}, .user = "alice"}).value().waiting, 1u);
  store->Release();
  EXPECT_EQ(OpenOutboxReader(file_).value()->List("alice", 0, 10).value().size(), 4u);
}

}  // namespace
}  // namespace strife
