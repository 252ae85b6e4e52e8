#include "rpc/bank_links.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "protocol/reason.h"
#include "rpc/bank_link_stats.h"
#include "rpc/convert.h"
#include "rpc/live_stub.h"
#include "rpc/trace_convert.h"
#include "strife/v1/bank.grpc.pb.h"

namespace strife::rpc {

using protocol::BankCommand;
using protocol::BankReply;
using protocol::CommandKind;
using protocol::CommandOutcome;

namespace {

constexpr std::size_t kMaxSingleCallsInFlight = 64;
constexpr Duration kTraceTimeout = std::chrono::seconds(2);

WallTime WallNow() {
  return WallTime(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

std::chrono::system_clock::time_point DeadlineIn(Duration timeout) {
  return std::chrono::system_clock::now() + timeout;
}

// What a bank's answer to `command` comes to when it cannot be read: never a YES, never an acknowledgement.
BankReply Unreadable(const BankCommand& command) {
  return {command.kind, command.id, CommandOutcome::kViolation, std::string(protocol::reason::kProtocolViolation),
          "the bank's answer cannot be read"};
}

// Strife's banks say so before they look at anything, so they are not away: they want to be asked again later.
bool IsOverloaded(const grpc::Status& status) { return status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED; }

BankReply Overloaded(const BankCommand& command) {
  return {command.kind, command.id, CommandOutcome::kOverloaded, {}, {}};
}

}  // namespace

// One bank's queue and connection. Kept alive by its calls in flight.
class BankLink : public std::enable_shared_from_this<BankLink> {
 public:
  BankLink(const BankLinksOptions& options, const BankLinks::Listener& listener, std::atomic<int>& on_their_way,
           std::string bank_id)
      : options_(options),
        listener_(listener),
        on_their_way_(on_their_way),
        bank_id_(std::move(bank_id)),
        stub_(*options.credentials, {options.credentials->identity().trust_domain, security::Role::kBank, bank_id_}) {}

  void Update(const protocol::BankRecord& bank) {
    std::unique_lock lock(mutex_);
    batches_ = std::ranges::find(bank.capabilities, "execute-batch") != bank.capabilities.end();
    stub_.SetAddress(bank.endpoint);
  }

  void Send(std::vector<BankCommand> commands) {
    std::unique_lock lock(mutex_);
    std::ranges::move(commands, std::back_inserter(queue_));
    Pump(lock);
  }

  void GetBalance(const std::string& account_id, Done<Balance> done);
  void GetTrace(const Uuid& id, std::function<void(BankTrace)> done);

  BankHealth Health(WallTime now, Duration patience) {
    const std::int64_t heard_us = stats_.heartbeat_us.load(std::memory_order_relaxed);
    BankHealth health{.bank_id = bank_id_,
                      .endpoint = {},
                      .up = heard_us != 0 && now - WallTime(Duration(heard_us)) <= patience &&
                            !stats_.last_failed.load(std::memory_order_relaxed),
                      .last_heartbeat = {},
                      .latency = Duration(stats_.recent_us.load(std::memory_order_relaxed))};
    if (heard_us != 0) health.last_heartbeat = WallTime(Duration(heard_us));
    std::unique_lock lock(mutex_);
    health.endpoint = stub_.address();
    health.queued = queue_.size();
    return health;
  }
  BankLinkStats& stats() { return stats_; }
  const std::string& bank_id() const { return bank_id_; }

  // Cancels what is in flight, gives up what is queued, and waits until the listener knows of all.
  void Close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    for (const auto& context : contexts_) context->TryCancel();
    idle_.wait(lock, [&] { return !in_flight_; });
  }

 private:
  struct BatchCall {
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    WallTime sent_at = WallNow();
    std::shared_ptr<grpc::ClientContext> context;
    v1::ExecuteBatchRequest request;
    v1::ExecuteBatchResponse response;
    std::vector<BankCommand> commands;
  };
  // A set of single calls that count as one message; the last to finish reports them all.
  struct SingleCalls {
    WallTime sent_at = WallNow();
    std::mutex mutex;
    std::size_t left = 0;
    std::vector<BankReply> replies;
    std::vector<protocol::UndeliveredInput::Command> undelivered;
  };
  template <typename Request, typename Response>
  struct SingleCall {
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    std::shared_ptr<grpc::ClientContext> context;
    Request request;
    Response response;
    BankCommand command;
  };

  std::shared_ptr<grpc::ClientContext> NewContext() {
    auto context = std::make_shared<grpc::ClientContext>();
    context->set_deadline(DeadlineIn(options_.call_timeout));
    return context;
  }

  // Sends the next message unless one is in flight. Returns with the lock released.
  void Pump(std::unique_lock<std::mutex>& lock);
  void StartBatch(const std::shared_ptr<v1::Bank::Stub>& stub, std::shared_ptr<BatchCall> call);
  void FinishBatch(BatchCall& call, const grpc::Status& status);
  void StartSingle(const std::shared_ptr<v1::Bank::Stub>& stub, const std::shared_ptr<SingleCalls>& calls,
                   std::shared_ptr<grpc::ClientContext> context, BankCommand command);
  template <typename Request, typename Response, typename Start>
  void CallSingle(const std::shared_ptr<SingleCalls>& calls, std::shared_ptr<grpc::ClientContext> context,
                  BankCommand command, const Request& request, Start start);
  // `sent_at`: none when nothing was sent.
  void Finished(std::vector<BankReply> replies, std::vector<protocol::UndeliveredInput::Command> undelivered,
                std::optional<WallTime> sent_at);
  void Measure(const grpc::Status& status, std::chrono::steady_clock::time_point started);

  const BankLinksOptions options_;
  const BankLinks::Listener& listener_;
  std::atomic<int>& on_their_way_;
  const std::string bank_id_;
  BankLinkStats stats_;

  LiveStub<v1::Bank> stub_;
  std::mutex mutex_;
  std::condition_variable idle_;
  bool batches_ = false;  // the bank offers ExecuteBatch
  std::deque<BankCommand> queue_;
  bool in_flight_ = false;
  bool closed_ = false;
  std::vector<std::shared_ptr<grpc::ClientContext>> contexts_;  // of the calls in flight
};

void BankLink::Pump(std::unique_lock<std::mutex>& lock) {
  if (in_flight_ || queue_.empty()) return lock.unlock();
  in_flight_ = true;
  on_their_way_.fetch_add(1, std::memory_order_relaxed);
  const auto stub = stub_.Get();
  const bool give_up = closed_ || stub == nullptr;
  const std::size_t limit = batches_ ? limits::kMaxCommandsPerBatch : kMaxSingleCallsInFlight;
  const std::size_t count = give_up ? queue_.size() : std::min(queue_.size(), limit);
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<BankCommand> commands(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  const bool batches = batches_;
  if (!give_up) {
    for (std::size_t i = 0; i < (batches ? 1 : count); ++i) contexts_.push_back(NewContext());
  }
  const auto contexts = contexts_;
  lock.unlock();

  if (give_up) {
    std::vector<protocol::UndeliveredInput::Command> undelivered;
    undelivered.reserve(commands.size());
    for (const BankCommand& command : commands) undelivered.push_back({command.id, command.kind});
    return Finished({}, std::move(undelivered), std::nullopt);
  }
  stats_.batch.Add(commands.size());
  if (batches) {
    auto call = std::make_shared<BatchCall>();
    call->context = contexts.front();
    for (const BankCommand& command : commands) ToProto(command, *call->request.add_commands());
    call->commands = std::move(commands);
    return StartBatch(stub, std::move(call));
  }
  auto calls = std::make_shared<SingleCalls>();
  calls->left = count;
  for (std::size_t i = 0; i < count; ++i) {
    if (commands[i].trace) contexts[i]->AddMetadata("traceparent", protocol::ToTraceparent(*commands[i].trace));
  }
  for (std::size_t i = 0; i < count; ++i) StartSingle(stub, calls, contexts[i], std::move(commands[i]));
}

void BankLink::StartBatch(const std::shared_ptr<v1::Bank::Stub>& stub, std::shared_ptr<BatchCall> call) {
  BatchCall& state = *call;
  stub->async()->ExecuteBatch(state.context.get(), &state.request, &state.response,
                              [self = shared_from_this(), call = std::move(call)](const grpc::Status& status) {
                                self->FinishBatch(*call, status);
                              });
}

void BankLink::Measure(const grpc::Status& status, std::chrono::steady_clock::time_point started) {
  if (status.ok()) {
    stats_.Answered(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started));
  } else if (IsOverloaded(status)) {
    stats_.overloaded.Add();
  } else {
    stats_.Failed();
  }
}

void BankLink::FinishBatch(BatchCall& call, const grpc::Status& status) {
  Measure(status, call.started);
  std::vector<BankReply> replies;
  std::vector<protocol::UndeliveredInput::Command> undelivered;
  const bool complete = call.response.results_size() == static_cast<int>(call.commands.size());
  for (std::size_t i = 0; i < call.commands.size(); ++i) {
    const BankCommand& command = call.commands[i];
    if (IsOverloaded(status)) {
      replies.push_back(Overloaded(command));
    } else if (!status.ok()) {
      undelivered.push_back({command.id, command.kind});
    } else {
      auto reply = complete ? FromProto(call.response.results(static_cast<int>(i)), command) : std::nullopt;
      replies.push_back(reply ? *std::move(reply) : Unreadable(command));
    }
  }
  Finished(std::move(replies), std::move(undelivered), call.sent_at);
}

template <typename Request, typename Response, typename Start>
void BankLink::CallSingle(const std::shared_ptr<SingleCalls>& calls, std::shared_ptr<grpc::ClientContext> context,
                          BankCommand command, const Request& request, Start start) {
  auto call = std::make_shared<SingleCall<Request, Response>>();
  call->context = std::move(context);
  call->request = request;
  call->command = std::move(command);
  start(call->context.get(), &call->request, &call->response,
        [self = shared_from_this(), call, calls](const grpc::Status& status) {
          std::unique_lock lock(calls->mutex);
          self->Measure(status, call->started);
          if (status.ok()) {
            auto reply = FromProto(call->response, call->command);
            calls->replies.push_back(reply ? *std::move(reply) : Unreadable(call->command));
          } else if (IsOverloaded(status)) {
            calls->replies.push_back(Overloaded(call->command));
          } else {
            calls->undelivered.push_back({call->command.id, call->command.kind});
          }
          if (--calls->left > 0) return;
          lock.unlock();
          self->Finished(std::move(calls->replies), std::move(calls->undelivered), calls->sent_at);
        });
}

void BankLink::StartSingle(const std::shared_ptr<v1::Bank::Stub>& stub, const std::shared_ptr<SingleCalls>& calls,
                           std::shared_ptr<grpc::ClientContext> context, BankCommand command) {
  v1::ExecuteBatchRequest::Command message;
  ToProto(command, message);
  switch (command.kind) {
    case CommandKind::kPrepare:
      return CallSingle<v1::PrepareTransactionRequest, v1::PrepareTransactionResponse>(
          calls, std::move(context), std::move(command), message.prepare(),
          [&](auto... arguments) { stub->async()->PrepareTransaction(std::move(arguments)...); });
    case CommandKind::kCommit:
      return CallSingle<v1::CommitTransactionRequest, v1::CommitTransactionResponse>(
          calls, std::move(context), std::move(command), message.commit(),
          [&](auto... arguments) { stub->async()->CommitTransaction(std::move(arguments)...); });
    case CommandKind::kAbort:
      return CallSingle<v1::AbortTransactionRequest, v1::AbortTransactionResponse>(
          calls, std::move(context), std::move(command), message.abort(),
          [&](auto... arguments) { stub->async()->AbortTransaction(std::move(arguments)...); });
  }
}

void BankLink::Finished(std::vector<BankReply> replies, std::vector<protocol::UndeliveredInput::Command> undelivered,
                        std::optional<WallTime> sent_at) {
  on_their_way_.fetch_sub(1, std::memory_order_relaxed);
  std::optional<protocol::Exchange> exchange;
  if (sent_at) exchange = {*sent_at, WallNow()};
  if (!replies.empty()) listener_.replied({bank_id_, std::move(replies), exchange});
  if (!undelivered.empty()) listener_.undelivered({bank_id_, std::move(undelivered), exchange});
  std::unique_lock lock(mutex_);
  contexts_.clear();
  in_flight_ = false;
  if (queue_.empty()) {
    idle_.notify_all();
    return;
  }
  Pump(lock);
}

void BankLink::GetBalance(const std::string& account_id, Done<Balance> done) {
  struct Call {
    std::shared_ptr<grpc::ClientContext> context;
    v1::GetBalanceRequest request;
    v1::GetBalanceResponse response;
    Done<Balance> done;
  };
  const auto offline = [](const std::string& bank_id) {
    return std::unexpected(ApiError{.code = ApiCode::kUnavailable,
                                    .reason_code = std::string(protocol::reason::kBankOffline),
                                    .message = "bank " + bank_id + " cannot be reached; try again later",
                                    .retryable = true});
  };
  const auto stub = stub_.Get();
  if (stub == nullptr) return done(offline(bank_id_));
  auto call = std::make_shared<Call>();
  call->context = NewContext();
  call->request.set_account_id(account_id);
  call->done = std::move(done);
  Call& state = *call;
  stub->async()->GetBalance(
      state.context.get(), &state.request, &state.response,
      [bank_id = bank_id_, call = std::move(call), offline](const grpc::Status& status) {
        if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
          return call->done(std::unexpected(ApiError{.code = ApiCode::kNotFound,
                                                     .reason_code = "AC01",
                                                     .message = "bank " + bank_id + " has no such account"}));
        }
        const auto posted = FromProto(call->response.posted());
        const auto held = FromProto(call->response.held());
        const auto available = FromProto(call->response.available());
        const auto as_of = FromProto(call->response.as_of());
        if (!status.ok() || !posted || !held || !available || !as_of) return call->done(offline(bank_id));
        call->done(Balance{*posted, *held, *available, *as_of});
      });
}

void BankLink::GetTrace(const Uuid& id, std::function<void(BankTrace)> done) {
  struct Call {
    grpc::ClientContext context;
    v1::GetTransactionStatusRequest request;
    v1::GetTransactionStatusResponse response;
    std::function<void(BankTrace)> done;
  };
  const auto stub = stub_.Get();
  if (stub == nullptr) return done({.bank_id = bank_id_, .problem = "it cannot be reached"});
  auto call = std::make_shared<Call>();
  call->context.set_deadline(DeadlineIn(std::min(kTraceTimeout, options_.call_timeout)));
  call->request.set_transaction_id(id.ToString());
  call->done = std::move(done);
  Call& state = *call;
  stub->async()->GetTransactionStatus(&state.context, &state.request, &state.response,
                                      [bank_id = bank_id_, call = std::move(call)](const grpc::Status& status) {
                                        if (status.ok()) return call->done(FromProto(bank_id, call->response));
                                        const bool late = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
                                        const bool away = status.error_code() == grpc::StatusCode::UNAVAILABLE;
                                        call->done({.bank_id = bank_id,
                                                    .problem = late   ? "it does not answer"
                                                               : away ? "it cannot be reached"
                                                                      : "it does not tell"});
                                      });
}

BankLinks::BankLinks(BankLinksOptions options, Listener listener) : options_(options), listener_(std::move(listener)) {}

BankLinks::~BankLinks() {
  for (const auto& [id, link] : links_) link->Close();
}

std::shared_ptr<BankLink> BankLinks::Find(const std::string& bank_id) {
  std::unique_lock lock(mutex_);
  const auto found = links_.find(bank_id);
  return found == links_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<BankLink>> BankLinks::All() {
  std::vector<std::shared_ptr<BankLink>> all;
  {
    std::unique_lock lock(mutex_);
    for (const auto& [id, link] : links_) all.push_back(link);
  }
  std::ranges::sort(all, {}, [](const auto& link) { return link->bank_id(); });
  return all;
}

void BankLinks::Heard(const std::string& bank_id, WallTime now) {
  if (const auto link = Find(bank_id)) {
    link->stats().heartbeat_us.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
}

std::vector<BankHealth> BankLinks::Health(WallTime now, Duration patience) {
  std::vector<BankHealth> all;
  for (const auto& link : All()) all.push_back(link->Health(now, patience));
  return all;
}

void BankLinks::Collect(MetricWriter& writer, WallTime now, Duration patience) {
  for (const auto& link : All()) {
    const BankHealth health = link->Health(now, patience);
    const BankLinkStats& stats = link->stats();
    const MetricWriter::Labels bank = {{"bank", link->bank_id()}};
    writer.Gauge("strife_bank_up", "1 while the bank reports in time and answers.", bank, health.up ? 1 : 0);
    writer.Gauge("strife_bank_last_heartbeat_timestamp_seconds",
                 "When the bank was last heard; 0: not since the start.", bank,
                 static_cast<double>(stats.heartbeat_us.load(std::memory_order_relaxed)) / 1e6);
    writer.Gauge("strife_bank_queued_commands", "Commands waiting for the message in flight.", bank,
                 static_cast<double>(health.queued));
    const auto messages = [&](std::string_view outcome, const Counter& count) {
      writer.Count("strife_bank_messages_total", "Messages to the bank, by what came of them.",
                   {{"bank", link->bank_id()}, {"outcome", outcome}}, count);
    };
    messages("answered", stats.answered);
    messages("unanswered", stats.unanswered);
    messages("overloaded", stats.overloaded);
    writer.Latencies("strife_bank_message_duration_seconds", "From a message to the bank's answer.", bank,
                     stats.duration);
    writer.Sizes("strife_bank_message_commands", "Commands in a message.", bank, stats.batch);
  }
}

void BankLinks::Update(const protocol::BankRecord& bank) {
  std::unique_lock lock(mutex_);
  auto& link = links_[bank.bank_id];
  if (link == nullptr) link = std::make_shared<BankLink>(options_, listener_, on_their_way_, bank.bank_id);
  const auto updated = link;
  lock.unlock();
  updated->Update(bank);
}

void BankLinks::Send(const std::string& bank_id, std::vector<BankCommand> commands) {
  if (const auto link = Find(bank_id)) return link->Send(std::move(commands));
  std::vector<protocol::UndeliveredInput::Command> undelivered;
  undelivered.reserve(commands.size());
  for (const BankCommand& command : commands) undelivered.push_back({command.id, command.kind});
  listener_.undelivered({bank_id, std::move(undelivered)});
}

void BankLinks::GetBalance(const std::string& bank_id, const std::string& account_id, Done<Balance> done) {
  if (const auto link = Find(bank_id)) return link->GetBalance(account_id, std::move(done));
  done(std::unexpected(ApiError{.code = ApiCode::kUnavailable,
                                .reason_code = std::string(protocol::reason::kBankOffline),
                                .message = "bank " + bank_id + " has not registered with this gateway",
                                .retryable = true}));
}

void BankLinks::GetTrace(const std::string& bank_id, const Uuid& id, std::function<void(BankTrace)> done) {
  if (const auto link = Find(bank_id)) return link->GetTrace(id, std::move(done));
  done({.bank_id = bank_id, .problem = "it has not registered with this gateway"});
}

}  // namespace strife::rpc
