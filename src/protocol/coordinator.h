// The gateway's side of two-phase commit, pure: inputs and rows in, records, messages and answers out.
//
// docs/protocol.md has the rules; the numbers in comments are theirs. One thread. Nothing here may be sent before the
// records are durable: the engine sees to that (rule 1).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "protocol/backoff.h"
#include "protocol/bank_directory.h"
#include "protocol/coordinator_messages.h"
#include "protocol/deadlines.h"
#include "protocol/open_payment.h"
#include "protocol/payment_window.h"

namespace strife::protocol {

struct CoordinatorOptions {
  Duration transaction_timeout = std::chrono::seconds(5);  // for the votes, and again for the acknowledgements
  std::uint32_t max_retries = 3;  // of a prepare at a bank that does not answer, before the bank counts as offline
  Backoff redelivery{std::chrono::milliseconds(100), std::chrono::seconds(5)};
  std::size_t max_open_per_bank = limits::kMaxOpenPaymentsPerBank;
  PaymentWindow::Options window{};
};

// What the store knows about this process and its past when it starts.
struct CoordinatorPast {
  Uuid store_id;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::vector<PaymentRecord> open_payments;
  std::vector<BankRecord> banks;
  std::unordered_map<Uuid, std::string> traces{};  // of the open payments, as stored
};

class Coordinator {
 public:
  using Rows = std::unordered_map<Uuid, PaymentRecord>;
  using TraceRows = std::unordered_map<Uuid, std::string>;

  explicit Coordinator(CoordinatorOptions options)
      : options_(options), banks_(options.max_retries, options.redelivery.cap), window_(options.window) {}

  // Takes up what the store holds (rule 10): undecided payments are aborted, decided ones delivered again. Call once,
  // before anything else; its effects are committed and sent like those of a step.
  CoordinatorEffects Recover(const Now& now, CoordinatorPast past);

  // Ids whose rows Step must be given for this input.
  void CollectKeys(const CoordinatorInput& input, std::vector<Uuid>& ids) const;

  // REQUIRES: `rows` holds what CollectKeys asked for, as the store has it now, and `traces` what is stored with it.
  CoordinatorEffects Step(const Now& now, std::vector<CoordinatorInput> inputs, Rows rows, TraceRows traces = {});

  // For traces only: the effects of the last step, or of recovery, were durable and sent at that time.
  void Sent(WallTime at);

  // How many submissions the next step should be given; others should wait. More are taken all the same.
  PaymentWindow::Room RoomAt(MonotonicTime now) { return window_.RoomAt(now); }

  // When Step must be called even without inputs.
  std::optional<MonotonicTime> NextDeadline() const;

  // Sequence of the last step that had records, to be stored with them.
  std::uint64_t sequence() const { return sequence_; }
  const Uuid& store_id() const { return store_id_; }
  std::uint64_t epoch() const { return epoch_; }
  std::size_t open_count() const { return open_.size(); }

 private:
  using Leg = OpenPayment::Leg;
  using Open = OpenPayment;
  // What one step works on. Rows are kept up to date with what the step itself records, so that a second input about
  // the same id sees the first one's outcome.
  struct Batch {
    const Now& now;
    Rows rows;
    CoordinatorEffects effects;
    TraceRows traces{};
  };
  // The trace of a payment that has ended, with steps that are not written yet.
  struct Unwritten {
    Trace trace;
    WallTime base;
    bool fresh = true;  // put here by the step under way
  };

  void Apply(Batch& batch, SubmitInput& input);
  void Apply(Batch& batch, BankRepliesInput& input);
  void Apply(Batch& batch, UndeliveredInput& input);
  void Apply(Batch& batch, InquiryInput& input);
  void Apply(Batch& batch, RegisterInput& input);
  void Apply(Batch& batch, const ReconciledInput& input);
  void Apply(Batch& batch, const ListOpenInput& input);
  void Apply(Batch& batch, const TraceInput& input);

  void Start(Batch& batch, SubmitInput& input);
  void OnVote(Batch& batch, Open& open, Leg& leg, const BankReply& reply);
  void OnCommitReply(Batch& batch, Open& open, Leg& leg, const BankReply& reply);
  // A bank's operators have decided the other way (rule 14).
  void OnMixed(Batch& batch, Open& open, Leg& leg, const BankReply& reply);
  void OnAbortReply(Batch& batch, Open& open, Leg& leg, const BankReply& reply);
  void DecideCommit(Batch& batch, Open& open);
  void DecideAbort(Batch& batch, Open& open, std::string_view reason_code, std::string message);
  void Complete(Batch& batch, Open& open);

  Open& AddOpen(PaymentRecord record);
  void Close(Batch& batch, Open& open);
  const PaymentRecord* Find(const Batch& batch, const Uuid& id) const;
  void BeginPhase(Batch& batch, Open& open);
  void Deliver(Batch& batch, Open& open, Leg& leg);
  void Undelivered(Batch& batch, Open& open, Leg& leg);
  // The bank is back: what waits for it need not wait for its next try.
  void RetryNow(Batch& batch, const std::string& bank_id);
  void OnDeadlines(Batch& batch);
  void OnPhaseTimeout(Batch& batch, Open& open);
  void Record(Batch& batch, Open& open);
  // Of what has never been open: nothing has been asked of any bank.
  const PaymentRecord& RecordAborted(Batch& batch, PaymentRecord record, Trace trace);
  void AnswerSubmitter(Batch& batch, Open& open);
  // The bank tells how much it has seen of a store's work. If that is more than this store holds, the store was
  // restored from a backup, or the bank is not to be believed: nothing of that bank's is decided until operators have
  // looked.
  void NoticeWhatIsSeen(Batch& batch, const std::string& bank_id, const std::optional<Uuid>& store_id,
                        std::uint64_t sequence);
  bool TouchesBankAhead(const PaymentOrder& order) const;
  CoordinatorEffects Finish(Batch&& batch);

  // ---- traces (coordinator_trace.cc)
  // The way so far of a payment taken up after a restart.
  static Trace Resumed(const Now& now, const PaymentRecord& record, const TraceRows& traces, std::uint64_t epoch);
  // Notes a command's end at a bank, or that nothing has come of it yet.
  void NoteCommand(Open& open, const Leg& leg, CommandKind kind, std::optional<CommandOutcome> outcome,
                   std::optional<WallTime> ended_at);
  // The trace of a payment that may have ended, to add a step to; null when there are too many such.
  Trace* TraceOf(Batch& batch, const PaymentRecord& record);
  // Writes what is unwritten, when other records are written or the time has come.
  void WriteTraces(Batch& batch);

  CoordinatorOptions options_;
  Uuid store_id_;
  std::uint64_t epoch_ = 0;
  std::uint64_t sequence_ = 0;
  BankDirectory banks_;
  std::unordered_map<Uuid, Open> open_;
  Deadlines deadlines_;
  PaymentWindow window_;
  std::map<Uuid, Unwritten> unwritten_;
  std::optional<MonotonicTime> write_traces_at_;
  std::vector<Uuid> recorded_;  // by the last step
  std::vector<Uuid> answered_;  // submitters, by the last step
};

}  // namespace strife::protocol
