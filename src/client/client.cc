#include "client/client.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <thread>

namespace strife::client {
namespace {

using protocol::PaymentState;
using rpc::CallError;
using rpc::CallResult;

// Tokens are renewed this long before they run out, so that none runs out on its way.
constexpr Duration kRenewBefore = std::chrono::seconds(20);
constexpr Duration kFollowInterval = std::chrono::milliseconds(200);

WallTime WallNow() {
  return WallTime(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

double Jitter() {
  static std::mt19937_64 engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

CallError Local(Error error) {
  return {.error = std::move(error),
          .delivery = rpc::Delivery::kNotSent,
          .retryable = false,
          .reason_code = {},
          .field = {},
          .prior = {},
          .pushback = {}};
}

Session ToSession(const std::string& gateway, const std::string& username, rpc::SessionGrant tokens) {
  return {.gateway = gateway,
          .username = username,
          .access_token = std::move(tokens.access_token),
          .access_expires_at = tokens.expires_at,
          .refresh_token = std::move(tokens.refresh_token),
          .refresh_expires_at = tokens.refresh_expires_at,
          .accounts = std::move(tokens.accounts)};
}

// Turns the answer about one order into its outcome.
CallResult<PaymentOutcome> ToOutcome(CallResult<protocol::PaymentRecord> answer, bool first_attempt) {
  if (answer) return PaymentOutcome{.payment = std::move(*answer), .duplicate = false};
  CallError& error = answer.error();
  if (error.error.code != ErrorCode::kAlreadyExists || !error.prior) return std::unexpected(std::move(error));
  // The id is known with this same payment. After a retry that is our own earlier attempt.
  return PaymentOutcome{.payment = std::move(*error.prior), .duplicate = first_attempt};
}

}  // namespace

Client::Client(const ClientConfig& config, std::unique_ptr<rpc::GatewayClient> gateway,
               std::unique_ptr<LogDirectory> log_directory)
    : config_(config),
      gateway_(std::move(gateway)),
      log_directory_(std::move(log_directory)),
      log_(log_directory_->Get("client.log")),
      session_file_(config.data_dir) {}

Result<std::unique_ptr<Client>> Client::Open(const ClientConfig& config) {
  auto gateway = rpc::GatewayClient::Create({.endpoint = config.gateway,
                                             .files = {config.ca_file, config.cert_file, config.key_file},
                                             .timeout = config.timeout});
  if (!gateway) return std::unexpected(gateway.error());
  LogOptions options;
  options.level = ParseLogLevel(config.log_level).value_or(LogLevel::kInfo);
  auto logs = LogDirectory::Open(config.log_dir, {"client.log"}, options);
  if (!logs) return std::unexpected(logs.error());
  return std::unique_ptr<Client>(new Client(config, std::move(*gateway), std::move(*logs)));
}

template <typename T>
CallResult<T> Client::Retry(std::string_view method, const Uuid* id, const std::function<CallResult<T>()>& attempt) {
  Attempts attempts(config_.max_retries, config_.retry_delay);
  while (true) {
    CallResult<T> result = attempt();
    Log(method, id, attempts.made() + 1, result ? nullptr : &result.error());
    if (result) return result;
    auto delay = attempts.AfterFailure(result.error(), Jitter());
    if (!delay) return std::unexpected(attempts.Conclude(std::move(result.error())));
    if (on_retry_) on_retry_(result.error(), *delay);
    std::this_thread::sleep_for(*delay);
  }
}

template <typename T>
CallResult<T> Client::Authorized(std::string_view method, const Uuid* id,
                                 const std::function<CallResult<T>(const std::string&)>& attempt) {
  std::string refused;
  return Retry<T>(method, id, [&]() -> CallResult<T> {
    auto token = AccessToken(refused);
    if (!token) return std::unexpected(std::move(token.error()));
    CallResult<T> result = attempt(*token);
    bool stale = !result && result.error().error.code == ErrorCode::kUnauthenticated && refused.empty();
    if (!stale) return result;
    refused = *token;
    token = AccessToken(refused);
    if (!token) return std::unexpected(std::move(token.error()));
    return attempt(*token);
  });
}

CallResult<std::string> Client::AccessToken(const std::string& refused) {
  auto usable = [&](const Session& session) {
    return session.access_token != refused && session.access_expires_at - kRenewBefore > WallNow();
  };
  if (session_ && usable(*session_)) return session_->access_token;
  auto lock = session_file_.Lock();
  if (!lock) return std::unexpected(Local(lock.error()));
  auto current = CurrentSession();
  if (!current) return std::unexpected(Local(current.error()));
  session_ = std::move(*current);
  if (usable(*session_)) return session_->access_token;  // another process has renewed it

  auto tokens = gateway_->RefreshSession(session_->refresh_token);
  Log("RefreshSession", nullptr, 1, tokens ? nullptr : &tokens.error());
  if (!tokens) {
    CallError error = std::move(tokens.error());
    if (error.error.code == ErrorCode::kUnauthenticated) {
      error.error.message =
          "the session of " + session_->username + " has ended; run strife login " + session_->username;
    }
    return std::unexpected(std::move(error));
  }
  session_ = ToSession(config_.gateway, session_->username, std::move(*tokens));
  if (auto saved = session_file_.Save(*session_); !saved) return std::unexpected(Local(saved.error()));
  return session_->access_token;
}

CallResult<Session> Client::Login(const std::string& username, const std::string& password) {
  auto tokens = Retry<rpc::SessionGrant>("AuthenticateClient", nullptr,
                                         [&] { return gateway_->AuthenticateClient(username, password); });
  if (!tokens) return std::unexpected(std::move(tokens.error()));
  Session session = ToSession(config_.gateway, username, std::move(*tokens));
  auto lock = session_file_.Lock();
  if (!lock) return std::unexpected(Local(lock.error()));
  if (auto saved = session_file_.Save(session); !saved) return std::unexpected(Local(saved.error()));
  session_ = session;
  return session;
}

CallResult<void> Client::Logout() {
  auto ended = Authorized<bool>("LogoutClient", nullptr, [&](const std::string& token) -> CallResult<bool> {
    auto answer = gateway_->LogoutClient(token);
    if (!answer) return std::unexpected(std::move(answer.error()));
    return true;
  });
  bool over = ended || (ended.error().error.code == ErrorCode::kUnauthenticated && session_);
  if (!over) return std::unexpected(std::move(ended.error()));
  session_.reset();
  auto lock = session_file_.Lock();
  if (!lock) return std::unexpected(Local(lock.error()));
  if (auto removed = session_file_.Remove(); !removed) return std::unexpected(Local(removed.error()));
  return {};
}

Result<Session> Client::CurrentSession() const {
  auto session = session_file_.Load();
  if (session && session->gateway != config_.gateway) {
    return Fail(ErrorCode::kUnauthenticated, "the session in " + config_.data_dir.string() +
                                                 " is with the gateway at " + session->gateway + ", not " +
                                                 config_.gateway + "; run strife login USER");
  }
  return session;
}

CallResult<PaymentOutcome> Client::Pay(const protocol::PaymentOrder& order) {
  bool first_attempt = true;
  auto outcome = Authorized<PaymentOutcome>("ProcessPayment", &order.id, [&](const std::string& token) {
    auto result = ToOutcome(gateway_->ProcessPayment(token, order), first_attempt);
    if (!result && result.error().delivery != rpc::Delivery::kRefused) first_attempt = false;
    return result;
  });
  if (!outcome) return outcome;
  outcome->payment = Follow(std::move(outcome->payment));
  LogOutcome("ProcessPayment", order.id, 1, outcome);
  return outcome;
}

std::vector<CallResult<PaymentOutcome>> Client::PayAll(const std::vector<protocol::PaymentOrder>& orders) {
  using Answers = std::vector<CallResult<protocol::PaymentRecord>>;
  std::vector<CallResult<PaymentOutcome>> outcomes(orders.size());
  std::vector<Attempts> attempts(orders.size(), Attempts(config_.max_retries, config_.retry_delay));
  std::vector<std::size_t> open(orders.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  bool first_attempt = true;
  while (!open.empty()) {
    std::vector<protocol::PaymentOrder> batch;
    for (std::size_t i : open) batch.push_back(orders[i]);
    auto answers = Authorized<Answers>("ProcessPayments", nullptr, [&](const std::string& token) {
      auto result = gateway_->ProcessPayments(token, batch);
      if (!result && result.error().delivery == rpc::Delivery::kUnknown) first_attempt = false;
      return result;
    });
    if (!answers) {
      for (std::size_t i : open) outcomes[i] = std::unexpected(attempts[i].Conclude(answers.error()));
      return outcomes;
    }
    std::vector<std::size_t> again;
    Duration wait{};
    for (std::size_t k = 0; k < open.size(); ++k) {
      std::size_t i = open[k];
      outcomes[i] = ToOutcome(std::move((*answers)[k]), first_attempt);
      LogOutcome("ProcessPayments", orders[i].id, attempts[i].made() + 1, outcomes[i]);
      if (outcomes[i]) continue;
      if (auto delay = attempts[i].AfterFailure(outcomes[i].error(), Jitter())) {
        again.push_back(i);
        wait = std::max(wait, *delay);
      } else {
        outcomes[i] = std::unexpected(attempts[i].Conclude(std::move(outcomes[i].error())));
      }
    }
    if (!again.empty() && on_retry_) on_retry_(outcomes[again.front()].error(), wait);
    if (!again.empty()) std::this_thread::sleep_for(wait);
    open = std::move(again);
    first_attempt = false;
  }
  return outcomes;
}

protocol::PaymentRecord Client::Follow(protocol::PaymentRecord payment) {
  auto give_up = std::chrono::steady_clock::now() + config_.timeout;
  while (payment.state == PaymentState::kInitiated || payment.state == PaymentState::kCommitting) {
    if (std::chrono::steady_clock::now() >= give_up) return payment;
    std::this_thread::sleep_for(kFollowInterval);
    auto later = GetPayment(payment.order.id);
    if (!later) return payment;
    payment = std::move(*later);
  }
  return payment;
}

CallResult<protocol::PaymentRecord> Client::GetPayment(const Uuid& id) {
  return Authorized<protocol::PaymentRecord>("GetPayment", &id,
                                             [&](const std::string& token) { return gateway_->GetPayment(token, id); });
}

CallResult<rpc::Balance> Client::CheckBalance(const std::string& bank_id) {
  return Authorized<rpc::Balance>("CheckBalance", nullptr,
                                  [&](const std::string& token) { return gateway_->CheckBalance(token, bank_id); });
}

CallResult<rpc::HistoryPage> Client::History(const rpc::HistoryRequest& request) {
  return Authorized<rpc::HistoryPage>("ViewTransactionHistory", nullptr, [&](const std::string& token) {
    return gateway_->ViewTransactionHistory(token, request);
  });
}

void Client::Log(std::string_view method, const Uuid* id, int attempt, const CallError* error) {
  LogLevel level = error == nullptr ? LogLevel::kInfo : LogLevel::kWarning;
  if (!log_.Enabled(level)) return;
  LogLine line("call");
  line.Add("method", method).Add("peer", config_.gateway).Add("attempt", attempt);
  if (id != nullptr) line.Add("transaction_id", *id);
  if (error == nullptr) {
    line.Add("outcome", "ok");
  } else {
    line.Add("outcome", error->error.code == ErrorCode::kUnknownOutcome ? "unknown" : "failed");
    if (!error->reason_code.empty()) line.Add("reason_code", error->reason_code);
    line.Add("message", error->error.message);
  }
  log_.Write(level, line);
}

void Client::LogOutcome(std::string_view method, const Uuid& id, int attempt,
                        const CallResult<PaymentOutcome>& outcome) {
  if (!outcome) return Log(method, &id, attempt, &outcome.error());
  if (!log_.Enabled(LogLevel::kInfo)) return;
  const protocol::PaymentRecord& payment = outcome->payment;
  LogLine line("payment");
  line.Add("method", method).Add("peer", config_.gateway).Add("attempt", attempt).Add("transaction_id", id);
  line.Add(payment.order.amount)
      .Add("outcome", protocol::StateName(payment.state))
      .Add("duplicate", outcome->duplicate);
  if (!payment.reason_code.empty()) line.Add("reason_code", payment.reason_code);
  log_.Write(LogLevel::kInfo, line);
}

}  // namespace strife::client
