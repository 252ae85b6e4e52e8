#include "client/client.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <random>

namespace strife::client {
namespace {

using rpc::CallError;
using rpc::CallResult;

constexpr Duration kFollowInterval = std::chrono::milliseconds(200);

double Jitter() {
  static std::mt19937_64 engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
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
      log_directory_(std::move(log_directory)),
      log_(log_directory_->Get("client.log")),
      gateway_(std::move(gateway)),
      sessions_(config_, *gateway_, [this](const CallError* error) { Log("RefreshSession", nullptr, 1, error); }) {
  gateway_->OnRefusedCredentials([this](const std::string& problem) {
    log_.Write(LogLevel::kCritical, LogLine("credentials_refused").Add("why", problem).Add("now", "the old ones stay"));
  });
}

Result<std::unique_ptr<Client>> Client::Open(const ClientConfig& config) {
  auto gateway =
      rpc::GatewayClient::Create({.endpoints = config.Endpoints(),
                                  .files = {config.ca_file, config.cert_file, config.key_file, config.crl_file},
                                  .timeout = config.timeout,
                                  .traceparent = config.traceparent});
  if (!gateway) return std::unexpected(gateway.error());
  LogOptions options;
  options.level = ParseLogLevel(config.log_level).value_or(LogLevel::kInfo);
  options.format = ParseLogFormat(config.log_format).value_or(LogFormat::kText);
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
    if (on_retry_ && !cancelled()) on_retry_(result.error(), *delay);
    if (!Wait(*delay)) return std::unexpected(attempts.Conclude(std::move(result.error())));
  }
}

template <typename T>
CallResult<T> Client::WithToken(const std::string& user,
                                const std::function<CallResult<T>(const std::string&)>& attempt) {
  auto token = sessions_.AccessToken(user, "");
  if (!token) return std::unexpected(std::move(token.error()));
  CallResult<T> result = attempt(*token);
  if (result || result.error().error.code != ErrorCode::kUnauthenticated) return result;
  token = sessions_.AccessToken(user, *token);
  if (!token) return std::unexpected(std::move(token.error()));
  return attempt(*token);
}

template <typename T>
CallResult<T> Client::Authorized(std::string_view method, const Uuid* id,
                                 const std::function<CallResult<T>(const std::string&)>& attempt) {
  return Retry<T>(method, id, [&] { return WithToken<T>("", attempt); });
}

void Client::Cancel() {
  cancel_.request_stop();
  gateway_->Cancel();
}

bool Client::Wait(Duration delay) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, cancel_.get_token(), delay, [] { return false; });
  return !cancelled();
}

CallResult<Session> Client::Login(const std::string& username, const std::string& password) {
  auto tokens = Retry<rpc::SessionGrant>("AuthenticateClient", nullptr,
                                         [&] { return gateway_->AuthenticateClient(username, password); });
  if (!tokens) return std::unexpected(std::move(tokens.error()));
  Session session = sessions_.FromGrant(username, std::move(*tokens));
  if (auto kept = sessions_.Keep(session); !kept) return std::unexpected(LocalError(kept.error()));
  return session;
}

CallResult<void> Client::Logout() {
  auto ended = Authorized<bool>("LogoutClient", nullptr, [&](const std::string& token) -> CallResult<bool> {
    auto answer = gateway_->LogoutClient(token);
    if (!answer) return std::unexpected(std::move(answer.error()));
    return true;
  });
  bool over = ended || (ended.error().error.code == ErrorCode::kUnauthenticated && sessions_.last());
  if (!over) return std::unexpected(std::move(ended.error()));
  if (auto removed = sessions_.Forget(); !removed) return std::unexpected(LocalError(removed.error()));
  return {};
}

CallResult<PaymentOutcome> Client::Pay(const protocol::PaymentOrder& order) {
  bool first_attempt = true;
  auto outcome = Authorized<PaymentOutcome>("ProcessPayment", &order.id, [&](const std::string& token) {
    auto result = ToOutcome(gateway_->ProcessPayment(token, order), first_attempt);
    if (!result && result.error().delivery != rpc::Delivery::kRefused) first_attempt = false;
    return result;
  });
  if (!outcome) return outcome;
  outcome->payment = Follow(std::move(outcome->payment), config_.timeout);
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
    batch.reserve(open.size());
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
    if (!again.empty() && on_retry_ && !cancelled()) on_retry_(outcomes[again.front()].error(), wait);
    if (!again.empty() && !Wait(wait)) {
      for (std::size_t i : again) outcomes[i] = std::unexpected(attempts[i].Conclude(outcomes[i].error()));
      return outcomes;
    }
    open = std::move(again);
    first_attempt = false;
  }
  return outcomes;
}

protocol::PaymentRecord Client::Follow(protocol::PaymentRecord payment, Duration patience) {
  auto give_up = std::chrono::steady_clock::now() + patience;
  while (!protocol::IsFinal(payment.state)) {
    if (std::chrono::steady_clock::now() >= give_up || !Wait(kFollowInterval)) return payment;
    auto later = GetPayment(payment.order.id);
    if (!later) return payment;
    payment = std::move(*later);
  }
  return payment;
}

CallResult<protocol::PaymentRecord> Client::WaitForEnd(const Uuid& id, Duration patience) {
  auto payment = GetPayment(id);
  if (payment) payment = Follow(std::move(*payment), patience);
  return payment;
}

CallResult<protocol::PaymentRecord> Client::SendOnce(const protocol::PaymentOrder& order) {
  auto answer = WithToken<protocol::PaymentRecord>(
      order.payer, [&](const std::string& token) { return gateway_->ProcessPayment(token, order); });
  LogOutcome("ProcessPayment", order.id, 1, ToOutcome(answer, true));
  return answer;
}

CallResult<protocol::PaymentRecord> Client::CancelOnce(const protocol::PaymentOrder& order) {
  auto answer = WithToken<protocol::PaymentRecord>(
      order.payer, [&](const std::string& token) { return gateway_->CancelPayment(token, order); });
  Log("CancelPayment", &order.id, 1, answer ? nullptr : &answer.error());
  return answer;
}

CallResult<protocol::PaymentRecord> Client::AskOnce(const std::string& user, const Uuid& id) {
  auto answer = WithToken<protocol::PaymentRecord>(
      user, [&](const std::string& token) { return gateway_->GetPayment(token, id); });
  Log("GetPayment", &id, 1, answer ? nullptr : &answer.error());
  return answer;
}

CallResult<protocol::PaymentRecord> Client::GetPayment(const Uuid& id) {
  return Authorized<protocol::PaymentRecord>("GetPayment", &id,
                                             [&](const std::string& token) { return gateway_->GetPayment(token, id); });
}

CallResult<rpc::PaymentTrace> Client::TracePayment(const Uuid& id) {
  return Authorized<rpc::PaymentTrace>("TracePayment", &id,
                                       [&](const std::string& token) { return gateway_->TracePayment(token, id); });
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
  line.Add("method", method).Add("peer", gateway_->endpoint()).Add("attempt", attempt);
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
  line.Add("method", method).Add("peer", gateway_->endpoint()).Add("attempt", attempt).Add("transaction_id", id);
  line.Add(payment.order.amount)
      .Add("outcome", protocol::StateName(payment.state))
      .Add("duplicate", outcome->duplicate);
  if (!payment.reason_code.empty()) line.Add("reason_code", payment.reason_code);
  log_.Write(LogLevel::kInfo, line);
}

}  // namespace strife::client
