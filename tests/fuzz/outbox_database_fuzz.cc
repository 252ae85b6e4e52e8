// A client's queue of payments, damaged or made by somebody hostile: opened, read and delivered from. A row that cannot
// be read says so and stays; a payment that is sent is one that was queued; nothing crashes.
#include <utility>

#include "database_image.h"
#include "env/outbox_store.h"
#include "fuzz.h"
#include "protocol/outbox.h"
#include "records.h"
#include "runtime/engine.h"
#include "storage/sqlite/outbox_sqlite.h"

namespace strife {
namespace {

namespace fs = std::filesystem;
using protocol::OutboxState;

const Now kNow{MonotonicTime(std::chrono::hours(1)), WallTime(std::chrono::seconds(1'800'000'000))};

constexpr Uuid IdOf(std::uint8_t number) {
  return Uuid{{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, number}};
}

OutboxItem ItemOf(std::uint8_t number, OutboxState state) {
  OutboxItem item;
  item.sequence = number;
  item.order = {IdOf(number), "user1", {"bank1", "user1"}, {"bank2", "user2"}, {1250, *Currency::Parse("USD")}, "memo"};
  item.state = state;
  item.may_have_arrived = state != OutboxState::kQueued;
  item.queued_at = item.updated_at = kNow.wall;
  return item;
}

void Make(const fs::path& file) {
  const auto store = OpenOutboxStore(file).value();
  STRIFE_ASSERT(store->Load({}).has_value());
  OutboxRecords records;
  std::uint8_t number = 0;
  for (const OutboxState state :
       {OutboxState::kSent, OutboxState::kQueued, OutboxState::kFollowed, OutboxState::kDone}) {
    records.items.push_back(ItemOf(++number, state));
  }
  STRIFE_ASSERT(store->Commit(records).has_value());
}

template <typename T>
bool Use(const Result<T>& result) {
  if (!result) fuzz::CheckMessage(result.error().message);
  return result.has_value();
}

void CheckItem(const OutboxItem& item) {
  STRIFE_ASSERT(item.state >= OutboxState::kQueued && item.state <= OutboxState::kExpired);
  STRIFE_ASSERT(IsPrintableUtf8(item.damage));
}

void Read(const fs::path& file) {
  const auto reader = OpenOutboxReader(file);
  if (!Use(reader)) return;
  for (const auto& items : {(*reader)->List("user1", 0, 100), (*reader)->Untold("user1", 100)}) {
    if (!Use(items)) continue;
    for (const OutboxItem& item : *items) CheckItem(item);
  }
  for (std::uint8_t number = 1; number <= 4; ++number) {
    if (const auto found = (*reader)->Find(IdOf(number)); Use(found) && *found) CheckItem(**found);
  }
}

// The queue is delivered to a gateway that completes everything.
void Deliver(const fs::path& file) {
  const auto store = OpenOutboxStore(file);
  if (!Use(store)) return;
  protocol::Outbox outbox({});
  runtime::Engine<protocol::Outbox, OutboxStore> engine(outbox, **store);
  Now now = kNow;
  std::vector<protocol::OutboxInput> inputs = {protocol::LockInput{true}, protocol::SessionInput{"user1"},
                                               protocol::ConnectionInput{true, ""}};
  for (int cycle = 0; cycle < 8; ++cycle) {
    now.monotonic += std::chrono::seconds(60);
    const auto effects = engine.Cycle(now, std::exchange(inputs, {protocol::TickInput{}}));
    (*store)->Release();  // as its engine does when there was nothing to write
    if (!Use(effects)) return;
    for (const auto& notice : effects->notices) CheckItem(notice.item);
    if (!effects->call) continue;
    const protocol::PaymentOrder& order = effects->call->order;
    if (effects->call->kind == protocol::OutboxCall::Kind::kSend) fuzz::CheckOrder(order);
    STRIFE_ASSERT(order.payer == "user1");  // one user's payments are never sent with another one's session
    inputs.push_back(protocol::DeliveryInput{.id = order.id,
                                             .result = protocol::DeliveryInput::Result::kPayment,
                                             .payment_state = protocol::PaymentState::kCompleted,
                                             .reason_code = "",
                                             .message = "",
                                             .pushback = {}});
  }
}

struct Files {
  fuzz::Scratch scratch;
  fuzz::DatabaseImage image{scratch, Make};
  fs::path file = scratch / "queue.db";
};

FUZZ_TARGET(outbox_database) {
  static const Files files;
  fuzz::Input in(input);
  files.image.WriteChanged(files.file, in);
  Read(files.file);
  Deliver(files.file);
}

}  // namespace
}  // namespace strife
