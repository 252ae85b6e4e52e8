// The client's queue of payments, pure: inputs and rows in, records, sends and notices out.
//
// What it promises:
// - A payment is on disk before Enqueue is answered, and on disk as possibly sent before it is first sent.
// - Payments of one user are sent in the order in which they were queued. One is in flight at a time, and the next is
//   sent only when the one before it has been decided, refused for good, or set aside.
// - A payment whose outcome is not known stays where it is and is asked for again with the same id.
// - One user's payments are never sent while another one is logged in.
// - Only what has certainly never been sent can be cancelled; nothing that may have been sent expires or is given up
//   as refused before the gateway has it on record as cancelled, so that it cannot arrive later.
//
// Several programs may run an Outbox on one store: cycles exclude each other, and only the one that has been told
// LockInput{true} sends. One thread each. Nothing may be sent before the records are durable: the engine sees to that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/backoff.h"
#include "protocol/outbox_types.h"

namespace strife::protocol {

// ---- Inputs ----

struct EnqueueInput {
  ReplyTo reply_to;
  PaymentOrder order;  // `payer` set
  std::optional<WallTime> expires_at;
};
struct CancelInput {
  ReplyTo reply_to;
  std::string user;
  Uuid id;
};
// Puts a parked payment back into its place, with the same id; sends a waiting one now.
struct RetryInput {
  ReplyTo reply_to;
  std::string user;
  Uuid id;
};
// Takes an item that has ended or is parked off the list.
struct OutboxAcknowledgeInput {
  ReplyTo reply_to;
  std::string user;
  Uuid id;
};
// The same for all of a user's items that ended before a moment; parked ones stay.
struct AcknowledgeEndedInput {
  std::string user;
  WallTime before;
};
// A person has been shown how these ended.
struct ToldInput {
  std::vector<Uuid> ids;
};
// Who is logged in now; empty: nobody.
struct SessionInput {
  std::string user;
};
// The gateway can be reached now, or not: the answer to `connect`, or what the channel says by itself.
struct ConnectionInput {
  bool online = false;
  std::string message;  // why not
};
// From now on this process alone may send, or no longer.
struct LockInput {
  bool held = false;
};
// What became of a send or a question.
struct DeliveryInput {
  enum class Result {
    kPayment,           // answered: `payment_state`, `reason_code`, `message`
    kNotSent,           // never left this process
    kUnknown,           // no answer
    kUnclear,           // an answer that does not tell what became of the payment
    kTurnedAway,        // certainly without effect, for a passing reason
    kRefused,           // certainly without effect, for good; of a cancellation: it can never have been accepted
    kNotFound,          // to a question only: the gateway does not know the payment
    kNotAuthenticated,  // without effect: the session has ended, or belongs to somebody else
  };
  Uuid id;
  Result result = Result::kUnknown;
  PaymentState payment_state = PaymentState::kInitiated;
  std::string reason_code;
  std::string message;
  std::optional<Duration> pushback;
};
// Somebody wants it tried now.
struct WakeInput {};
// Nothing has happened but time.
struct TickInput {};

using OutboxInput =
    std::variant<EnqueueInput, CancelInput, RetryInput, OutboxAcknowledgeInput, AcknowledgeEndedInput, ToldInput,
                 SessionInput, ConnectionInput, LockInput, DeliveryInput, WakeInput, TickInput>;

// ---- Effects ----

enum class OutboxOutcome {
  kAccepted,       // `item` as it is now
  kAlreadyQueued,  // the same payment is in the queue under this id: `item` as it stands
  kIdReused,       // the id belongs to another payment in the queue
  kInvalid,        // `message` says what is wrong with the payment
  kFull,
  kNotFound,  // also when it is somebody else's
  kTooLate,   // cancel: it has been sent, or has ended
  kNotEnded,  // acknowledge: it has not ended
  kHasEnded,  // retry: it has ended; a new payment needs a new id
};

struct OutboxAnswer {
  ReplyTo reply_to;
  OutboxOutcome outcome = OutboxOutcome::kAccepted;
  OutboxItem item;
  std::string message;
};

// An item that has come to an end, is parked, or is now followed.
struct OutboxNotice {
  OutboxItem item;
};

// To be carried out once, the result given back as DeliveryInput.
struct OutboxCall {
  enum class Kind {
    kSend,    // ProcessPayment with `order`
    kAsk,     // GetPayment of `order.id`
    kCancel,  // CancelPayment with `order`
  } kind = Kind::kSend;
  PaymentOrder order;
};

// For whoever watches; always filled in.
struct OutboxStatus {
  std::string user;
  std::size_t waiting = 0;   // the user's, not yet decided
  std::size_t followed = 0;  // the user's, decided and late; counts to kOutboxWindow
  bool online = false;
  bool needs_login = false;  // the gateway refused the session
  bool in_flight = false;
  std::uint32_t failures = 0;  // tries in a row that got nowhere, connecting included
  std::string last_failure;    // why; empty after a success
};

struct OutboxEffects {
  OutboxRecords records;  // durable first
  std::vector<OutboxAnswer> answers;
  std::vector<OutboxNotice> notices;
  std::optional<OutboxCall> call;
  bool connect = false;     // try to reach the gateway, answer with ConnectionInput
  bool wants_lock = false;  // there is something to do that only the sender may do
  OutboxStatus status;
};

struct OutboxOptions {
  Duration retry_delay = std::chrono::seconds(3);          // after the first failure; doubles
  Duration reconnect_interval = std::chrono::seconds(30);  // at most this long between two tries
  std::uint32_t max_unclear = 5;                           // unclear answers in a row before a payment is parked
};

// What is wrong with a payment, in words; nothing when it may be queued.
std::optional<std::string> CheckOrder(const PaymentOrder& order);

class Outbox {
 public:
  using Input = OutboxInput;
  using Keys = OutboxKeys;
  using Rows = OutboxRows;
  using Effects = OutboxEffects;

  explicit Outbox(OutboxOptions options) : options_(options) {}

  // Every cycle must have an input, a TickInput if there is nothing else: its keys say whose queue is worked on.
  void CollectKeys(const Input& input, Keys& keys) const;

  // REQUIRES: `rows` holds what CollectKeys asked for, as the store has it now.
  Effects Step(const Now& now, const std::vector<Input>& inputs, Rows rows);

  // When Step must be called even without another input.
  std::optional<MonotonicTime> NextDeadline() const { return wake_at_; }

 private:
  using Result = DeliveryInput::Result;

  // The call that has been made and not yet answered.
  struct InFlight {
    OutboxCall call;
    bool had_arrived = false;  // it may have arrived by an earlier attempt
    OutboxItem verdict{};      // of kCancel: what the item becomes when the payment will never be made
  };
  struct Batch {
    const Now& now;
    Rows rows;
    Effects effects;
  };

  void Apply(Batch& batch, const EnqueueInput& input);
  void Apply(Batch& batch, const CancelInput& input);
  void Apply(Batch& batch, const RetryInput& input);
  void Apply(Batch& batch, const OutboxAcknowledgeInput& input);
  void Apply(Batch& batch, const AcknowledgeEndedInput& input);
  void Apply(Batch& batch, const ToldInput& input);
  void Apply(Batch& batch, const SessionInput& input);
  void Apply(Batch& batch, const ConnectionInput& input);
  void Apply(Batch&, const LockInput& input);
  void Apply(Batch& batch, const DeliveryInput& input);
  void Apply(Batch& batch, const WakeInput& input);
  void Apply(Batch&, const TickInput&) {}

  // ---- what becomes of a call (outbox_delivery.cc)
  void OnPayment(Batch& batch, OutboxItem& item, const DeliveryInput& input);
  void OnRefused(Batch& batch, OutboxItem& item, const InFlight& call, const DeliveryInput& input);
  void OnNotFound(Batch& batch, OutboxItem& item);
  void OnCancelled(Batch& batch, OutboxItem& item, const OutboxItem& verdict);
  void OnNoEffect(Batch& batch, OutboxItem& item, const InFlight& call);
  void OnUnclear(Batch& batch, OutboxItem& item, const DeliveryInput& input);
  void Failed(Batch& batch, const DeliveryInput& input, bool connection);
  void Succeeded();
  void Park(Batch& batch, OutboxItem& item, std::string reason_code, std::string message);

  // ---- what to do next (outbox_delivery.cc)
  void Advance(Batch& batch);
  // The first waiting item that can be sent; those that cannot are parked or expire on the way.
  OutboxItem* NextToSend(Batch& batch);
  OutboxItem* NextToAsk(Batch& batch);
  void Send(Batch& batch, OutboxItem& item);
  void Ask(Batch& batch, const OutboxItem& item);
  // What may have arrived becomes `verdict` once the gateway will not make it any more.
  void Cancel(Batch& batch, OutboxItem verdict);
  void WakeAt(MonotonicTime at);

  // The item is in this state now, as it otherwise stands, and that goes on record.
  void Record(Batch& batch, OutboxItem& item, OutboxState state);
  static OutboxItem* Find(Batch& batch, const Uuid& id);
  static void Answer(Batch& batch, ReplyTo reply_to, OutboxOutcome outcome, const OutboxItem& item = {},
                     std::string message = {});

  OutboxOptions options_;
  std::string user_;  // logged in; empty: nobody
  bool needs_login_ = false;
  bool lock_held_ = false;
  bool online_ = false;
  bool connecting_ = false;
  std::optional<InFlight> in_flight_;
  std::uint32_t failures_ = 0;
  std::string last_failure_;
  MonotonicTime not_before_{};    // of the next try
  MonotonicTime follow_at_{};     // of the next question about a followed item
  std::uint32_t follows_ = 0;     // such questions in a row without news
  std::uint64_t last_asked_ = 0;  // sequence of the followed item asked about last
  Uuid unclear_id_;               // the item with unclear answers …
  std::uint32_t unclear_ = 0;     // … and how many in a row
  std::optional<MonotonicTime> wake_at_;
};

}  // namespace strife::protocol
