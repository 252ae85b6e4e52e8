#include "http2/channel_state.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include "base/host_port.h"

namespace strife::http2 {
namespace {

// TCP and TLS need several round trips, and a link may be slow.
constexpr Duration kAttemptTimeout = std::chrono::seconds(10);
constexpr Duration kShortestWait = std::chrono::milliseconds(100);
constexpr int kMaxTries = 3;  // of a call, on connections that did not look at it

// So that many do not come back at the same moment.
Duration Jittered(Duration backoff) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return Duration(
      std::uniform_int_distribution<std::int64_t>(backoff.count() * 4 / 5, backoff.count() * 6 / 5)(random));
}

std::string HostOf(const std::string& address) {
  const auto parsed = ParseHostPort(address);
  return parsed ? parsed->host : std::string();
}

WallTime WallNow() {
  return WallTime(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

}  // namespace

void ClientCall::Finish(Outcome outcome) {
  if (done_ == nullptr) return;
  if (channel_ != nullptr) channel_->Over(*this);
  std::exchange(done_, nullptr)(std::move(outcome));
}

ChannelState::ChannelState(Target target)
    : loop_(ChannelLoop::Shared()), target_(std::move(target)), dialer_(target_.credentials, target_.expected) {}

void ChannelState::Call(std::shared_ptr<ClientCall> call) {
  loop_.Touch(shared_from_this());
  call->channel_ = this;
  deadlines_.emplace(call->request_.deadline, call.get());
  if (!IsReady() && !connecting_ && loop_.now() < next_attempt_) {
    return call->Fail(Code::kUnavailable, failure_);
  }
  Place({std::move(call)});
}

void ChannelState::Place(std::vector<std::shared_ptr<ClientCall>> calls) {
  for (auto& call : calls) {
    if (call->done_ == nullptr) continue;
    if (!IsReady()) {
      waiting_.push_back(std::move(call));
    } else if (++call->tries_ > kMaxTries) {
      call->Fail(Code::kUnavailable, "the server takes no calls");
    } else {
      current_->connection->Begin(std::move(call), loop_.now());
    }
  }
  if (!waiting_.empty()) StartConnecting();
}

void ChannelState::Cancel(ClientCall& call) {
  loop_.Touch(shared_from_this());
  Abandon(call);
  call.Fail(Code::kCancelled, "cancelled");
}

void ChannelState::Connect(std::function<void(const std::optional<std::string>&)> done) {
  loop_.Touch(shared_from_this());
  if (IsReady()) return done(std::nullopt);
  connect_waiters_.push_back(std::move(done));
  StartConnecting();
}

void ChannelState::KeepConnected(std::function<void(bool)> changed) {
  loop_.Touch(shared_from_this());
  changed_ = std::move(changed);
  if (IsReady()) return changed_(true);
  StartConnecting();
}

void ChannelState::Drop() {
  loop_.Touch(shared_from_this());
  dropped_ = true;
  changed_ = nullptr;
}

// ---- Connecting ----

void ChannelState::StartConnecting() {
  if (connecting_) return;
  connecting_ = true;
  addresses_.clear();
  next_address_ = 0;
  attempt_ends_ = address_ends_ = loop_.now() + kAttemptTimeout;
  failure_ = "it does not answer";
  Resolve(target_.address, [self = shared_from_this()](Result<std::vector<SocketAddress>> addresses) {
    self->loop_.Post([self, found = std::move(addresses)]() mutable { self->OnResolved(std::move(found)); });
  });
}

void ChannelState::OnResolved(Result<std::vector<SocketAddress>> addresses) {
  loop_.Touch(shared_from_this());
  if (!connecting_ || !addresses_.empty()) return;  // too late
  if (!addresses) {
    failure_ = addresses.error().message;
    return ConnectFailed();
  }
  addresses_ = *std::move(addresses);
  TryNextAddress();
}

void ChannelState::TryNextAddress() {
  CloseAttempt();
  if (next_address_ == addresses_.size()) return ConnectFailed();
  // One that does not answer at all leaves time for the others.
  const auto left = static_cast<std::int64_t>(addresses_.size() - next_address_);
  address_ends_ = loop_.now() + std::max<Duration>(attempt_ends_ - loop_.now(), kShortestWait) / left;
  const SocketAddress& address = addresses_[next_address_++];
  Descriptor socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return AttemptFailed(std::strerror(errno));
  SetConnectionOptions(socket.get());
  const int result = connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  if (result != 0 && errno != EINPROGRESS) return AttemptFailed(std::strerror(errno));
  socket_ = std::make_shared<const Descriptor>(std::move(socket));
  watch_ = loop_.Watch(socket_->get(), EPOLLOUT, *this, nullptr);
}

void ChannelState::AttemptFailed(std::string why) {
  failure_ = std::move(why);
  TryNextAddress();
}

void ChannelState::CloseAttempt() {
  if (watch_ != 0) loop_.Unwatch(std::exchange(watch_, 0));
  tls_.reset();
  socket_.reset();
}

void ChannelState::StartHandshake() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_->get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return AttemptFailed(std::strerror(error));
  auto tls = dialer_.Dial(socket_, HostOf(target_.address));
  if (!tls) return AttemptFailed(tls.error().message);
  tls_ = *std::move(tls);
  GoOnWithHandshake();
}

void ChannelState::GoOnWithHandshake() {
  const auto progress = tls_->Handshake();
  if (progress == TlsChannel::Progress::kEnded) return AttemptFailed(tls_->Failure());
  if (progress == TlsChannel::Progress::kDone) return OnHandshake();
  loop_.Change(watch_, tls_->wants_to_write() ? EPOLLOUT : EPOLLIN);
}

void ChannelState::OnHandshake() {
  if (Status verified = dialer_.Verify(*tls_, WallNow()); !verified) return AttemptFailed(verified.error().message);
  loop_.Unwatch(std::exchange(watch_, 0));
  socket_.reset();
  auto connection = std::make_unique<ClientConnection>(std::move(tls_), target_.address, loop_.now());
  ClientConnection* const raw = connection.get();
  current_ = Established{std::move(connection), loop_.Watch(raw->link().tls().socket().get(), EPOLLIN, *this, raw)};
  OnSocket(raw);  // the handshake may have read more than its own
}

void ChannelState::OnSettled() {
  connecting_ = false;
  backoff_ = Duration::zero();
  next_attempt_ = {};
  Place(std::exchange(waiting_, {}));
  TellWaiters(std::nullopt);
  if (changed_) changed_(true);
}

// By every address, or by taking too long.
void ChannelState::ConnectFailed() {
  CloseAttempt();
  connecting_ = false;
  backoff_ = std::clamp(backoff_ * 8 / 5, target_.shortest_backoff, target_.longest_backoff);
  next_attempt_ = loop_.now() + Jittered(backoff_);
  for (const auto& call : std::exchange(waiting_, {})) call->Fail(Code::kUnavailable, failure_);
  TellWaiters(failure_);
  if (changed_) changed_(false);
}

void ChannelState::TellWaiters(const std::optional<std::string>& why_not) {
  for (const auto& waiter : std::exchange(connect_waiters_, {})) waiter(why_not);
}

// ---- Connected ----

void ChannelState::OnSocket(ClientConnection* connection) {
  loop_.Touch(shared_from_this());
  if (connection == nullptr) return tls_ == nullptr ? StartHandshake() : GoOnWithHandshake();
  if (current_ && current_->connection.get() == connection) current_->has_more = true;
  for (Established& one : leaving_) {
    if (one.connection.get() == connection) one.has_more = true;
  }
}

// What has come over it, and what follows from that.
void ChannelState::LookAtCurrent() {
  ClientConnection& connection = *current_->connection;
  Receive(*current_);
  if (connecting_ && connection.settled() && connection.takes_calls()) OnSettled();
  if (connection.ended()) {
    connection.EndCalls();
    auto untouched = connection.TakeUntouched();
    std::string why = connection.link().tls().Failure();
    loop_.Unwatch(current_->watch);
    current_.reset();
    if (connecting_) AttemptFailed(std::move(why));
    return Place(std::move(untouched));
  }
  auto untouched = connection.TakeUntouched();
  if (!connection.takes_calls()) {
    leaving_.push_back(std::move(*current_));
    current_.reset();
    if (connecting_) AttemptFailed("it takes no calls");
  }
  Place(std::move(untouched));
}

void ChannelState::LookAtLeaving() {
  std::vector<std::shared_ptr<ClientCall>> untouched;
  for (Established& one : leaving_) {
    Receive(one);
    if (one.connection->ended()) one.connection->EndCalls();
    std::ranges::move(one.connection->TakeUntouched(), std::back_inserter(untouched));
    if (one.connection->calls() == 0) loop_.Unwatch(one.watch);
  }
  std::erase_if(leaving_, [](const Established& one) { return one.connection->calls() == 0; });
  Place(std::move(untouched));
}

void ChannelState::Receive(Established& established) {
  ClientConnection& connection = *established.connection;
  if (!established.has_more || connection.ended() || !connection.link().wants_to_read()) return;
  established.has_more = connection.Receive(loop_.now());
}

void ChannelState::ExpireCalls() {
  while (!deadlines_.empty() && deadlines_.begin()->first <= loop_.now()) {
    ClientCall& call = *deadlines_.begin()->second;
    Abandon(call);
    call.Fail(Code::kDeadlineExceeded, "there was no answer in time");
  }
  std::erase_if(waiting_, [](const auto& call) { return call->done_ == nullptr; });
}

void ChannelState::Abandon(ClientCall& call) {
  if (current_) current_->connection->Abandon(call);
  for (Established& one : leaving_) one.connection->Abandon(call);
}

// When it wants to be looked at again.
MonotonicTime ChannelState::Flush(Established& established) {
  ClientConnection& connection = *established.connection;
  const MonotonicTime next = connection.Tick(loop_.now());
  connection.Flush();
  loop_.Change(established.watch, connection.link().epoll_events());
  const bool again = established.has_more && connection.link().wants_to_read();
  if (connection.ended() || again) loop_.Touch(shared_from_this());
  return next;
}

std::optional<MonotonicTime> ChannelState::Look(MonotonicTime now) {
  ExpireCalls();
  if (current_) LookAtCurrent();
  LookAtLeaving();
  if (connecting_ && now >= address_ends_) {
    if (current_) loop_.Unwatch(current_->watch);
    current_.reset();
    AttemptFailed("it does not answer");
  }
  if (changed_ && !connecting_ && !IsReady() && now >= next_attempt_) StartConnecting();
  if (dropped_ && deadlines_.empty()) {
    Close();
    return std::nullopt;
  }
  MonotonicTime next = deadlines_.empty() ? MonotonicTime::max() : deadlines_.begin()->first;
  if (connecting_) next = std::min(next, address_ends_);
  if (changed_ && !connecting_ && !IsReady()) next = std::min(next, next_attempt_);
  if (current_) next = std::min(next, Flush(*current_));
  for (Established& one : leaving_) next = std::min(next, Flush(one));
  return next;
}

void ChannelState::Close() {
  CloseAttempt();
  connecting_ = false;
  if (current_) loop_.Unwatch(current_->watch);
  current_.reset();
  for (const Established& one : leaving_) loop_.Unwatch(one.watch);
  leaving_.clear();
}

}  // namespace strife::http2
