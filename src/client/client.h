// Client: what a person or program uses to pay through a gateway. Keeps the session on disk, refreshes it silently,
// sends again what failed for a passing reason, and logs every operation to client.log.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/attempts.h"
#include "client/config.h"
#include "client/session_keeper.h"
#include "observability/log.h"
#include "rpc/gateway_client.h"

namespace strife::client {

struct PaymentOutcome {
  protocol::PaymentRecord payment;
  bool duplicate = false;  // the id had been used for this same payment before the first attempt of this call
};

// For one thread, but for Cancel. Several clients, in one process or several, may share one data directory.
class Client {
 public:
  // Told before each retry: what went wrong and when the next attempt starts.
  using RetryNotice = std::function<void(const rpc::CallError& error, Duration delay)>;

  // Reads the certificates; connects with the first operation.
  static Result<std::unique_ptr<Client>> Open(const ClientConfig& config);

  void OnRetry(RetryNotice notice) { on_retry_ = std::move(notice); }

  // Ends the operation that is under way, and any later one, at once: no more retries, no more waiting. What had been
  // sent and not answered is an unknown outcome. Thread-safe.
  void Cancel();

  rpc::CallResult<Session> Login(const std::string& username, const std::string& password);
  // Ends the session at the gateway and removes it here. When the gateway cannot be reached the session stays.
  rpc::CallResult<void> Logout();
  // The session on disk; asks nobody. kUnauthenticated when there is none for this gateway.
  Result<Session> CurrentSession() const { return StoredSession(config_); }
  const ClientConfig& config() const { return config_; }
  Logger& log() { return log_; }

  // Ends with the payment's state, or with an error that says whether it may still take effect (see Delivery). A
  // payment that is still on its way is followed for up to the configured timeout.
  rpc::CallResult<PaymentOutcome> Pay(const protocol::PaymentOrder& order);
  // The same for many in one call, each standing alone: one result for each, in their order. Payments that are still on
  // their way are not followed. REQUIRES: at most limits::kMaxPaymentsPerCall orders.
  std::vector<rpc::CallResult<PaymentOutcome>> PayAll(const std::vector<protocol::PaymentOrder>& orders);
  rpc::CallResult<protocol::PaymentRecord> GetPayment(const Uuid& id);
  // Asks until the payment has ended or `patience` is over; then the payment as it stood last.
  rpc::CallResult<protocol::PaymentRecord> WaitForEnd(const Uuid& id, Duration patience);

  // For the queue: one attempt each, and no waiting. The session must be that of `order.payer`, else kUnauthenticated.
  rpc::CallResult<protocol::PaymentRecord> SendOnce(const protocol::PaymentOrder& order);
  rpc::CallResult<protocol::PaymentRecord> CancelOnce(const protocol::PaymentOrder& order);
  rpc::CallResult<protocol::PaymentRecord> AskOnce(const std::string& user, const Uuid& id);
  // What of the certificates ends soon: one sentence each, with what to do.
  std::vector<std::string> EndingSoon() const { return gateway_->EndingSoon(); }
  rpc::CallResult<void> Connect() { return gateway_->Connect(); }
  // As GatewayClient::WatchConnection.
  void WatchConnection(std::function<void(bool online)> changed) { gateway_->WatchConnection(std::move(changed)); }
  rpc::CallResult<rpc::PaymentTrace> TracePayment(const Uuid& id);
  rpc::CallResult<rpc::Balance> CheckBalance(const std::string& bank_id);
  rpc::CallResult<rpc::HistoryPage> History(const rpc::HistoryRequest& request);

 private:
  Client(const ClientConfig& config, std::unique_ptr<rpc::GatewayClient> gateway,
         std::unique_ptr<LogDirectory> log_directory);

  // Calls `attempt` until it succeeds or Attempts gives up. `id` names the payment in the log, if it is one.
  template <typename T>
  rpc::CallResult<T> Retry(std::string_view method, const Uuid* id, const std::function<rpc::CallResult<T>()>& attempt);
  // The same with a valid access token, which is refreshed once when the gateway refuses it.
  template <typename T>
  rpc::CallResult<T> Authorized(std::string_view method, const Uuid* id,
                                const std::function<rpc::CallResult<T>(const std::string& access_token)>& attempt);
  // One attempt with a token of `user`, whoever is logged in when empty; made again when the gateway refuses the token.
  template <typename T>
  rpc::CallResult<T> WithToken(const std::string& user,
                               const std::function<rpc::CallResult<T>(const std::string& access_token)>& attempt);
  // Asks about a payment that is on its way until it has ended or time is up.
  protocol::PaymentRecord Follow(protocol::PaymentRecord payment, Duration patience);
  // False when the client was cancelled instead.
  bool Wait(Duration delay);
  bool cancelled() const { return cancel_.stop_requested(); }
  void Log(std::string_view method, const Uuid* id, int attempt, const rpc::CallError* error);
  void LogOutcome(std::string_view method, const Uuid& id, int attempt, const rpc::CallResult<PaymentOutcome>& outcome);

  ClientConfig config_;
  std::unique_ptr<LogDirectory> log_directory_;
  Logger& log_;
  std::unique_ptr<rpc::GatewayClient> gateway_;  // goes before the log, to which its threads write
  SessionKeeper sessions_;
  RetryNotice on_retry_;
  std::stop_source cancel_;
};

}  // namespace strife::client
