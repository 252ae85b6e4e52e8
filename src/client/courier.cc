#include "client/courier.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "client/delivery.h"
#include "runtime/system_clock.h"

namespace strife::client {
namespace {

constexpr std::size_t kInboxCapacity = 1024;
constexpr std::size_t kMaxInputs = 256;
constexpr Duration kLockPoll = std::chrono::milliseconds(50);
constexpr Duration kKeepEnded = std::chrono::hours(24 * 30);

MonotonicTime NowMonotonic() { return runtime::SystemClock().Read().monotonic; }

}  // namespace

Courier::Courier(const ClientConfig& config, CourierEvents events, QueueFiles files, std::unique_ptr<Client> client,
                 std::unique_ptr<OutboxStore> store)
    : config_(config),
      events_(std::move(events)),
      files_(std::move(files)),
      store_(std::move(store)),
      outbox_({.retry_delay = config.retry_delay, .reconnect_interval = config.reconnect_interval}),
      engine_(outbox_, *store_),
      inbox_(kInboxCapacity),
      client_(std::move(client)) {}

Result<std::unique_ptr<Courier>> Courier::Start(const ClientConfig& config, CourierEvents events, bool watch) {
  auto files = PrepareQueueFiles(config.data_dir);
  if (!files) return std::unexpected(files.error());
  auto client = Client::Open(config);
  if (!client) return std::unexpected(client.error());
  auto store = OpenQueueStore(*files);
  if (!store) return std::unexpected(store.error());
  std::unique_ptr<Courier> courier(
      new Courier(config, std::move(events), std::move(*files), std::move(*client), std::move(*store)));
  if (watch) {
    courier->client_->WatchConnection(
        [raw = courier.get()](bool online) { raw->Push(protocol::ConnectionInput{online, {}}); });
  }
  courier->thread_ = std::thread([raw = courier.get()] { raw->Run(); });
  return courier;
}

Courier::~Courier() { Stop(); }

void Courier::Push(protocol::OutboxInput input) { (void)inbox_.Push(input); }

void Courier::Wake() { Push(protocol::WakeInput{}); }

void Courier::Stop() {
  const std::scoped_lock lock(stop_mutex_);
  stopping_ = true;
  client_->Cancel();
  inbox_.Close();
  if (thread_.joinable()) thread_.join();
}

std::optional<protocol::SessionInput> Courier::LookForSession() {
  const auto session = client_->CurrentSession();
  const std::string seen = session ? session->refresh_token : "";
  if (session_seen_ == seen) return std::nullopt;
  session_seen_ = seen;
  return protocol::SessionInput{session ? session->username : ""};
}

std::vector<protocol::OutboxInput> Courier::Gather() {
  auto deadline = engine_.NextDeadline();
  // Nobody tells when the lock is let go, or when somebody logs in elsewhere.
  const MonotonicTime look = NowMonotonic() + (wants_lock_ && !lock_ ? kLockPoll : config_.reconnect_interval);
  if (!deadline || *deadline > look) deadline = look;
  if (!own_inputs_.empty()) deadline = NowMonotonic();
  auto inputs = inbox_.Drain(kMaxInputs, deadline);
  std::ranges::move(std::exchange(own_inputs_, {}), std::back_inserter(inputs));
  if (auto session = LookForSession()) inputs.emplace_back(*std::move(session));
  if (wants_lock_ && !lock_) {
    if (auto lock = FileLock::TryAcquire(files_.sending)) lock_ = std::move(*lock);
  }
  inputs.emplace_back(protocol::LockInput{lock_.has_value()});
  return inputs;
}

void Courier::Run() {
  pthread_setname_np(pthread_self(), "courier");
  if (auto session = LookForSession()) {
    const std::string user = session->user;
    own_inputs_.emplace_back(*std::move(session));
    const WallTime now = runtime::SystemClock().Read().wall;
    if (!user.empty()) own_inputs_.emplace_back(protocol::AcknowledgeEndedInput{user, now - kKeepEnded});
  }
  while (!stopping_ && Step()) {
  }
  lock_.reset();
}

bool Courier::Step() {
  auto inputs = Gather();
  if (stopping_) return false;
  auto effects = engine_.Cycle(runtime::SystemClock().Read(), std::move(inputs));
  store_->Release();
  if (!effects) {
    client_->log().Write(LogLevel::kError, LogLine("queue_failed").Add("message", effects.error().message));
    if (events_.failed) events_.failed(effects.error());
    return false;
  }
  wants_lock_ = effects->wants_lock;
  Tell(*effects);
  CarryOut(*effects);
  return true;
}

void Courier::Tell(const protocol::OutboxEffects& effects) {
  for (const protocol::OutboxNotice& notice : effects.notices) {
    const OutboxItem& item = notice.item;
    LogLine line("queue");
    line.Add("transaction_id", item.order.id).Add("user", item.order.payer).Add(item.order.amount);
    line.Add("state", protocol::StateName(item.state));
    if (item.state == protocol::OutboxState::kDone || item.state == protocol::OutboxState::kFollowed) {
      line.Add("payment_state", protocol::StateName(item.payment_state));
    }
    if (!item.reason_code.empty()) line.Add("reason_code", item.reason_code);
    if (!item.message.empty()) line.Add("message", item.message);
    client_->log().Write(LogLevel::kInfo, line);
    if (events_.settled) events_.settled(item);
  }
  if (events_.status) events_.status(effects.status);
}

rpc::CallResult<protocol::PaymentRecord> Courier::Call(const protocol::OutboxCall& call) {
  using Kind = protocol::OutboxCall::Kind;
  switch (call.kind) {
    case Kind::kSend:
      return client_->SendOnce(call.order);
    case Kind::kCancel:
      return client_->CancelOnce(call.order);
    case Kind::kAsk:
      break;
  }
  return client_->AskOnce(call.order.payer, call.order.id);
}

void Courier::CarryOut(const protocol::OutboxEffects& effects) {
  if (effects.connect) {
    auto connected = client_->Connect();
    own_inputs_.emplace_back(
        protocol::ConnectionInput{connected.has_value(), connected ? "" : connected.error().error.message});
  }
  if (effects.call) {
    const protocol::OutboxCall& call = *effects.call;
    const auto answer = Call(call);
    if (events_.attempted) events_.attempted(call, answer);
    own_inputs_.emplace_back(ToDelivery(call, answer));
  }
  if (!wants_lock_) lock_.reset();
}

}  // namespace strife::client
