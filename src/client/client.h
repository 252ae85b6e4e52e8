// Client: what a person or program uses to pay through a gateway. Keeps the session on disk, refreshes it silently,
// sends again what failed for a passing reason, and logs every operation to client.log.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/attempts.h"
#include "client/config.h"
#include "client/session_file.h"
#include "observability/log.h"
#include "rpc/gateway_client.h"

namespace strife::client {

struct PaymentOutcome {
  protocol::PaymentRecord payment;
  bool duplicate = false;  // the id had been used for this same payment before the first attempt of this call
};

// Not thread-safe. Several processes may share one data directory.
class Client {
 public:
  // Told before each retry: what went wrong and when the next attempt starts.
  using RetryNotice = std::function<void(const rpc::CallError& error, Duration delay)>;

  // Reads the certificates; connects with the first operation.
  static Result<std::unique_ptr<Client>> Open(const ClientConfig& config);

  void OnRetry(RetryNotice notice) { on_retry_ = std::move(notice); }

  rpc::CallResult<Session> Login(const std::string& username, const std::string& password);
  // Ends the session at the gateway and removes it here. When the gateway cannot be reached the session stays.
  rpc::CallResult<void> Logout();
  // The session on disk; asks nobody. kUnauthenticated when there is none for this gateway.
  Result<Session> CurrentSession() const;

  // Ends with the payment's state, or with an error that says whether it may still take effect (see Delivery). A
  // payment that is still on its way is followed for up to the configured timeout.
  rpc::CallResult<PaymentOutcome> Pay(const protocol::PaymentOrder& order);
  // The same for many in one call, each standing alone: one result for each, in their order. Payments that are still on
  // their way are not followed. REQUIRES: at most limits::kMaxPaymentsPerCall orders.
  std::vector<rpc::CallResult<PaymentOutcome>> PayAll(const std::vector<protocol::PaymentOrder>& orders);
  rpc::CallResult<protocol::PaymentRecord> GetPayment(const Uuid& id);
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
  // A token good for some seconds at least, and not `refused`.
  rpc::CallResult<std::string> AccessToken(const std::string& refused);
  // Asks about a payment that is on its way until it has ended or time is up.
  protocol::PaymentRecord Follow(protocol::PaymentRecord payment);
  void Log(std::string_view method, const Uuid* id, int attempt, const rpc::CallError* error);
  void LogOutcome(std::string_view method, const Uuid& id, int attempt, const rpc::CallResult<PaymentOutcome>& outcome);

  ClientConfig config_;
  std::unique_ptr<rpc::GatewayClient> gateway_;
  std::unique_ptr<LogDirectory> log_directory_;
  Logger& log_;
  SessionFile session_file_;
  std::optional<Session> session_;  // as last read
  RetryNotice on_retry_;
};

}  // namespace strife::client
