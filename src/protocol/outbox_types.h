// The nouns of the outbox: what a client durably keeps about the payments it still has to deliver. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/types.h"

namespace strife::protocol {

// Values are stored: never renumber.
enum class OutboxState : std::uint8_t {
  kQueued = 1,     // waits for its turn
  kSent = 2,       // handed to the network; the answer is not known, so it is asked for with the same id
  kFollowed = 3,   // the gateway has decided to pay and a bank is late; ends in kDone
  kDone = 4,       // end: completed or declined, as `payment_state` says
  kParked = 5,     // needs a person: the gateway refused it for good, or the row cannot be read
  kCancelled = 6,  // end: taken back before it was ever sent
  kExpired = 7,    // end: its time was up, and the gateway does not know it
};

// "QUEUED", …
constexpr std::string_view StateName(OutboxState state) {
  switch (state) {
    case OutboxState::kQueued:
      return "QUEUED";
    case OutboxState::kSent:
      return "SENT";
    case OutboxState::kFollowed:
      return "FOLLOWED";
    case OutboxState::kDone:
      return "DONE";
    case OutboxState::kParked:
      return "PARKED";
    case OutboxState::kCancelled:
      return "CANCELLED";
    case OutboxState::kExpired:
      return "EXPIRED";
  }
  return "UNKNOWN";
}

// Its turn is still to come, or it is being sent.
constexpr bool IsWaiting(OutboxState state) { return state == OutboxState::kQueued || state == OutboxState::kSent; }
// Nothing more happens to it, not even by hand.
constexpr bool IsEnded(OutboxState state) {
  return state == OutboxState::kDone || state == OutboxState::kCancelled || state == OutboxState::kExpired;
}

struct OutboxItem {
  std::uint64_t sequence = 0;  // place in the queue; never reused
  PaymentOrder order;          // `payer` is the user whose session sends it
  OutboxState state = OutboxState::kQueued;
  bool may_have_arrived = false;            // durable before the first send; false: certainly never reached a gateway
  std::uint32_t attempts = 0;               // sends that are on record
  std::optional<WallTime> first_sent_at{};  // of those sends; none before the first
  std::optional<WallTime> last_sent_at{};
  PaymentState payment_state = PaymentState::kInitiated;  // as last told; meaningful in kFollowed and kDone
  std::string reason_code;
  std::string message;
  WallTime queued_at;
  WallTime updated_at;
  std::optional<WallTime> expires_at;
  bool told = false;   // a person has been shown how it ended
  std::string damage;  // what is wrong with the stored row; not stored itself

  bool operator==(const OutboxItem&) const = default;
};

struct OutboxKeys {
  std::vector<Uuid> ids;
  std::string user;  // whose queue is worked on; empty: nobody's
};

inline constexpr std::size_t kOutboxWindow = 32;
inline constexpr std::size_t kMaxQueuedPayments = 10'000;  // that have not ended, in one outbox

// What a cycle is given. While it runs nobody else changes the store.
struct OutboxRows {
  // By sequence: the ids asked for, the user's first waiting items, and the user's items in kFollowed; at most
  // kOutboxWindow of each of the latter two.
  std::map<std::uint64_t, OutboxItem> items;
  // Every waiting item of the user with a sequence up to this one is in `items`; the greatest number when all are.
  std::uint64_t complete_to = 0;
  std::size_t waiting = 0;          // the user's items for which IsWaiting
  std::size_t open = 0;             // everybody's items that have not ended
  std::uint64_t last_sequence = 0;  // highest ever given out
};

// Written together or not at all.
struct OutboxRecords {
  // Inserts a sequence that is new. Of one that exists only state, may_have_arrived, attempts, first_sent_at,
  // last_sent_at, payment_state, reason_code, message, updated_at and told change; never the order, queued_at and
  // expires_at.
  std::vector<OutboxItem> items;
  std::vector<std::uint64_t> removed;  // sequences
  struct RemoveEnded {                 // every item of `user` for which IsEnded, last changed before `before`
    std::string user;
    WallTime before;
  };
  std::optional<RemoveEnded> remove_ended;

  bool empty() const { return items.empty() && removed.empty() && !remove_ended; }
};

}  // namespace strife::protocol
