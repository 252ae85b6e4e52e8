#include "rpc/bank_link.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "protocol/reason.h"
#include "rpc/convert.h"
#include "rpc/trace_convert.h"
#include "runtime/system_clock.h"

namespace strife::rpc {

using protocol::BankCommand;
using protocol::BankReply;
using protocol::CommandKind;
using protocol::CommandOutcome;

namespace {

constexpr std::size_t kMaxSingleCallsInFlight = 64;
constexpr Duration kTraceTimeout = std::chrono::seconds(2);

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

struct BankLink::BatchCall {
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  WallTime sent_at = runtime::WallNow();
  std::shared_ptr<grpc::ClientContext> context;
  v1::ExecuteBatchRequest request;
  v1::ExecuteBatchResponse response;
  std::vector<BankCommand> commands;
};

// A set of single calls that count as one message; the last to finish reports them all.
struct BankLink::SingleCalls {
  WallTime sent_at = runtime::WallNow();
  std::mutex mutex;
  std::size_t left = 0;
  std::vector<BankReply> replies;
  std::vector<protocol::UndeliveredInput::Command> undelivered;
};

template <typename Request, typename Response>
struct BankLink::SingleCall {
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  std::shared_ptr<grpc::ClientContext> context;
  Request request;
  Response response;
  BankCommand command;
};

void BankLink::Update(const protocol::BankRecord& bank) {
  std::unique_lock lock(mutex_);
  batches_ = std::ranges::find(bank.capabilities, "execute-batch") != bank.capabilities.end();
  stub_.SetAddress(bank.endpoint);
}

void BankLink::Send(std::vector<BankCommand> commands) {
  std::unique_lock lock(mutex_);
  std::ranges::move(commands, std::back_inserter(queue_));
  Pump(lock);
}

BankHealth BankLink::Health(WallTime now, Duration patience) {
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

void BankLink::Close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  for (const auto& context : contexts_) context->TryCancel();
  idle_.wait(lock, [&] { return !in_flight_; });
}

std::shared_ptr<grpc::ClientContext> BankLink::NewContext() const {
  auto context = std::make_shared<grpc::ClientContext>();
  context->set_deadline(DeadlineIn(options_.call_timeout));
  return context;
}

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
  if (sent_at) exchange = {*sent_at, runtime::WallNow()};
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

}  // namespace strife::rpc
