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
// A message takes all that waits up to this, or half of it: while the bank works on that, the gateway has answers to
// work on, and the processors of both are busy.
constexpr std::size_t kCommandsWorthAMessage = 512;
constexpr Duration kTraceTimeout = std::chrono::seconds(2);

// What a bank's answer to `command` comes to when it cannot be read: never a YES, never an acknowledgement.
BankReply Unreadable(const BankCommand& command) {
  return {command.kind, command.id, CommandOutcome::kViolation, std::string(protocol::reason::kProtocolViolation),
          "the bank's answer cannot be read"};
}

// Strife's banks say so before they look at anything, so they are not away: they want to be asked again later.
bool IsOverloaded(const http2::CallStatus& status) { return Is(status, http2::Code::kResourceExhausted); }

BankReply Overloaded(const BankCommand& command) {
  return {command.kind, command.id, CommandOutcome::kOverloaded, {}, {}};
}

}  // namespace

struct BankLink::BatchCall {
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  WallTime sent_at = runtime::WallNow();
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

void BankLink::Update(const protocol::BankRecord& bank) {
  std::unique_lock lock(mutex_);
  batches_ = std::ranges::find(bank.capabilities, "execute-batch") != bank.capabilities.end();
  ahead_ = bank.ahead > 0;
  channel_.SetAddress(bank.endpoint);
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
  health.endpoint = channel_.address();
  health.queued = queue_.size();
  health.ahead = ahead_;
  return health;
}

void BankLink::Close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  CancelCalls();
  idle_.wait(lock, [&] { return !in_flight_; });
}

void BankLink::CancelCalls() {
  for (const auto& call : calls_) called_on_->Cancel(call);
}

void BankLink::Pump(std::unique_lock<std::mutex>& lock) {
  if (in_flight_ || queue_.empty()) return lock.unlock();
  in_flight_ = true;
  on_their_way_.fetch_add(1, std::memory_order_relaxed);
  const auto channel = channel_.Get();
  const bool give_up = closed_ || channel == nullptr;
  const std::size_t limit = batches_
                                ? std::clamp(queue_.size() / 2, kCommandsWorthAMessage, limits::kMaxCommandsPerBatch)
                                : kMaxSingleCallsInFlight;
  const std::size_t count = give_up ? queue_.size() : std::min(queue_.size(), limit);
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<BankCommand> commands(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  const bool batches = batches_;
  const std::uint64_t message = message_;
  lock.unlock();
  if (!give_up) {
    stats_.batch.Add(commands.size());
    Calls started = Start(*channel, batches, std::move(commands));
    lock.lock();
    if (message != message_) return lock.unlock();  // it is answered already
    called_on_ = channel;
    calls_ = std::move(started);
    if (closed_) CancelCalls();
    return lock.unlock();
  }
  std::vector<protocol::UndeliveredInput::Command> undelivered;
  undelivered.reserve(commands.size());
  for (const BankCommand& command : commands) undelivered.push_back({command.id, command.kind});
  Finished({}, std::move(undelivered), std::nullopt);
}

BankLink::Calls BankLink::Start(http2::Channel& channel, bool batches, std::vector<BankCommand> commands) {
  if (batches) return {StartBatch(channel, std::move(commands))};
  auto calls = std::make_shared<SingleCalls>();
  calls->left = commands.size();
  Calls started;
  for (BankCommand& command : commands) started.push_back(StartSingle(channel, calls, std::move(command)));
  return started;
}

std::shared_ptr<http2::ClientCall> BankLink::StartBatch(http2::Channel& channel, std::vector<BankCommand> commands) {
  google::protobuf::Arena arena(MessageArena());
  auto& request = *google::protobuf::Arena::CreateMessage<v1::ExecuteBatchRequest>(&arena);
  for (const BankCommand& command : commands) ToProto(command, *request.add_commands());
  auto call = std::make_shared<BatchCall>();
  call->commands = std::move(commands);
  return Call<v1::ExecuteBatchResponse>(channel, "/strife.v1.Bank/ExecuteBatch", request, {options_.call_timeout},
                                        [self = shared_from_this(), call = std::move(call)](
                                            const http2::CallStatus& status, const v1::ExecuteBatchResponse& response) {
                                          self->FinishBatch(*call, status, response);
                                        });
}

void BankLink::Measure(const http2::CallStatus& status, std::chrono::steady_clock::time_point started) {
  if (Is(status, http2::Code::kOk)) {
    stats_.Answered(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started));
  } else if (IsOverloaded(status)) {
    stats_.overloaded.Add();
  } else {
    stats_.Failed();
  }
}

void BankLink::FinishBatch(const BatchCall& call, const http2::CallStatus& status,
                           const v1::ExecuteBatchResponse& response) {
  Measure(status, call.started);
  std::vector<BankReply> replies;
  std::vector<protocol::UndeliveredInput::Command> undelivered;
  const bool complete = response.results_size() == static_cast<int>(call.commands.size());
  for (std::size_t i = 0; i < call.commands.size(); ++i) {
    const BankCommand& command = call.commands[i];
    if (IsOverloaded(status)) {
      replies.push_back(Overloaded(command));
    } else if (!Is(status, http2::Code::kOk)) {
      undelivered.push_back({command.id, command.kind});
    } else {
      auto reply = complete ? FromProto(response.results(static_cast<int>(i)), command) : std::nullopt;
      replies.push_back(reply ? *std::move(reply) : Unreadable(command));
    }
  }
  Finished(std::move(replies), std::move(undelivered), call.sent_at);
}

template <typename Response>
std::shared_ptr<http2::ClientCall> BankLink::CallSingle(http2::Channel& channel,
                                                        const std::shared_ptr<SingleCalls>& calls, const char* path,
                                                        const google::protobuf::MessageLite& request,
                                                        BankCommand command) {
  CallOptions options{options_.call_timeout};
  if (command.trace) options.metadata.emplace_back("traceparent", protocol::ToTraceparent(*command.trace));
  return Call<Response>(
      channel, path, request, std::move(options),
      [self = shared_from_this(), calls, command = std::move(command), started = std::chrono::steady_clock::now()](
          const http2::CallStatus& status, const Response& response) {
        std::unique_lock lock(calls->mutex);
        self->Measure(status, started);
        if (Is(status, http2::Code::kOk)) {
          auto reply = FromProto(response, command);
          calls->replies.push_back(reply ? *std::move(reply) : Unreadable(command));
        } else if (IsOverloaded(status)) {
          calls->replies.push_back(Overloaded(command));
        } else {
          calls->undelivered.push_back({command.id, command.kind});
        }
        if (--calls->left > 0) return;
        lock.unlock();
        self->Finished(std::move(calls->replies), std::move(calls->undelivered), calls->sent_at);
      });
}

std::shared_ptr<http2::ClientCall> BankLink::StartSingle(http2::Channel& channel,
                                                         const std::shared_ptr<SingleCalls>& calls,
                                                         BankCommand command) {
  v1::ExecuteBatchRequest::Command message;
  ToProto(command, message);
  switch (command.kind) {
    case CommandKind::kPrepare:
      return CallSingle<v1::PrepareTransactionResponse>(channel, calls, "/strife.v1.Bank/PrepareTransaction",
                                                        message.prepare(), std::move(command));
    case CommandKind::kCommit:
      return CallSingle<v1::CommitTransactionResponse>(channel, calls, "/strife.v1.Bank/CommitTransaction",
                                                       message.commit(), std::move(command));
    case CommandKind::kAbort:
      break;
  }
  return CallSingle<v1::AbortTransactionResponse>(channel, calls, "/strife.v1.Bank/AbortTransaction", message.abort(),
                                                  std::move(command));
}

void BankLink::Finished(std::vector<BankReply> replies, std::vector<protocol::UndeliveredInput::Command> undelivered,
                        std::optional<WallTime> sent_at) {
  on_their_way_.fetch_sub(1, std::memory_order_relaxed);
  std::optional<protocol::Exchange> exchange;
  if (sent_at) exchange = {*sent_at, runtime::WallNow()};
  if (!replies.empty()) listener_.replied({bank_id_, std::move(replies), exchange});
  if (!undelivered.empty()) listener_.undelivered({bank_id_, std::move(undelivered), exchange});
  std::unique_lock lock(mutex_);
  calls_.clear();
  called_on_.reset();
  in_flight_ = false;
  ++message_;
  if (queue_.empty()) {
    idle_.notify_all();
    return;
  }
  Pump(lock);
}

void BankLink::GetBalance(const std::string& account_id, Done<Balance> done) {
  const auto offline = [](const std::string& bank_id) {
    return std::unexpected(ApiError{.code = ApiCode::kUnavailable,
                                    .reason_code = std::string(protocol::reason::kBankOffline),
                                    .message = "bank " + bank_id + " cannot be reached; try again later",
                                    .retryable = true});
  };
  const auto channel = channel_.Get();
  if (channel == nullptr) return done(offline(bank_id_));
  v1::GetBalanceRequest request;
  request.set_account_id(account_id);
  Call<v1::GetBalanceResponse>(
      *channel, "/strife.v1.Bank/GetBalance", request, {options_.call_timeout},
      [bank_id = bank_id_, done = std::move(done), offline](const http2::CallStatus& status,
                                                            const v1::GetBalanceResponse& response) mutable {
        if (Is(status, http2::Code::kNotFound)) {
          return done(std::unexpected(ApiError{.code = ApiCode::kNotFound,
                                               .reason_code = "AC01",
                                               .message = "bank " + bank_id + " has no such account"}));
        }
        const auto posted = FromProto(response.posted());
        const auto held = FromProto(response.held());
        const auto available = FromProto(response.available());
        const auto as_of = FromProto(response.as_of());
        const bool ok = Is(status, http2::Code::kOk);
        if (!ok || !posted || !held || !available || !as_of) return done(offline(bank_id));
        done(Balance{*posted, *held, *available, *as_of});
      });
}

void BankLink::GetTrace(const Uuid& id, std::function<void(BankTrace)> done) {
  const auto channel = channel_.Get();
  if (channel == nullptr) return done({.bank_id = bank_id_, .problem = "it cannot be reached"});
  v1::GetTransactionStatusRequest request;
  request.set_transaction_id(id.ToString());
  Call<v1::GetTransactionStatusResponse>(
      *channel, "/strife.v1.Bank/GetTransactionStatus", request, {std::min(kTraceTimeout, options_.call_timeout)},
      [bank_id = bank_id_, done = std::move(done)](const http2::CallStatus& status,
                                                   const v1::GetTransactionStatusResponse& response) {
        if (Is(status, http2::Code::kOk)) return done(FromProto(bank_id, response));
        const bool late = Is(status, http2::Code::kDeadlineExceeded), away = Is(status, http2::Code::kUnavailable);
        done({.bank_id = bank_id,
              .problem = late   ? "it does not answer"
                         : away ? "it cannot be reached"
                                : "it does not tell"});
      });
}

}  // namespace strife::rpc
