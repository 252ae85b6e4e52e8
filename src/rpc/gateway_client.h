// GatewayClient: the gateway's user interface as plain C++, over mutual TLS. One attempt per call: it translates and
// classifies, and leaves sessions and retries to client/.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "protocol/types.h"
#include "rpc/gateway_api.h"
#include "security/credentials.h"

namespace strife::rpc {

// What is known about a call that did not succeed.
enum class Delivery {
  kNotSent,  // it never left this process: no connection
  kUnknown,  // it may or may not have reached the gateway and taken effect
  kRefused,  // the gateway answered, and nothing was done because of this call
};

struct CallError {
  Error error;  // kUnknownOutcome when delivery is kUnknown and the call could have moved money
  Delivery delivery = Delivery::kUnknown;
  bool retryable = false;  // the same request may be sent again unchanged
  std::string reason_code;
  std::string field;                             // of the request, when one is at fault
  std::optional<protocol::PaymentRecord> prior;  // kAlreadyExists with the same payment: that payment as it now stands
  // The server's wish for the next attempt: this long from now; negative: do not try again.
  std::optional<std::chrono::milliseconds> pushback;
};

template <typename T>
using CallResult = std::expected<T, CallError>;

struct GatewayClientOptions {
  std::vector<std::string> endpoints;  // host:port of each, at least one; any of them will do
  security::CredentialFiles files;
  Duration timeout = std::chrono::seconds(10);  // of each call, connecting included
  std::string traceparent{};                    // sent with each call, unless empty
};

// Thread-safe. The access token goes in with each call that needs one. Of several endpoints one is used until it cannot
// be reached or answers UNAVAILABLE; then the next is tried.
class GatewayClient {
 public:
  template <typename T>
  using Callback = std::function<void(CallResult<T>)>;
  using PaymentCallback = Callback<protocol::PaymentRecord>;
  using PaymentResults = std::vector<CallResult<protocol::PaymentRecord>>;

  // Reads and checks the certificate files; the connection itself is made by the first call. The peer must prove to be
  // a gateway. Files that change are taken for the calls that follow.
  static Result<std::unique_ptr<GatewayClient>> Create(const GatewayClientOptions& options);
  // REQUIRES: no call in flight.
  ~GatewayClient();

  // Told what is wrong with files that have changed and were not taken, on the thread of a call or of the watch.
  // REQUIRES: called before the first call.
  void OnRefusedCredentials(std::function<void(const std::string& problem)> told);
  // Makes the connection, if there is none, without calling anything.
  CallResult<void> Connect();
  // The endpoint in use.
  std::string endpoint() const;
  // What of its credentials ends soon, as security::EndingSoon.
  std::vector<std::string> EndingSoon() const;
  // Ends all blocking calls that are out and all that are still made, at once: kNotSent or kUnknown. For good.
  void Cancel();
  // Tells from now on, on a thread of its own, whenever a gateway comes within reach (true) or all are gone (false);
  // the first time when it knows. On a connection of its own that is made again by itself. REQUIRES: called once.
  void WatchConnection(std::function<void(bool online)> changed);

  CallResult<SessionGrant> AuthenticateClient(const std::string& username, const std::string& password);
  CallResult<SessionGrant> RefreshSession(const std::string& refresh_token);
  CallResult<void> LogoutClient(const std::string& access_token);
  // In a payment that comes back `order.payer` and `epoch` are not set: the gateway does not tell them.
  // A value means the gateway answered with the payment's state, whatever that state is. `payer` in an order is
  // ignored: the token says who pays.
  CallResult<protocol::PaymentRecord> ProcessPayment(const std::string& access_token,
                                                     const protocol::PaymentOrder& order);
  // The same without waiting, not even for a connection. `done` runs exactly once, on a thread that all channels
  // share: it must not block.
  void ProcessPaymentAsync(const std::string& access_token, const protocol::PaymentOrder& order, PaymentCallback done);
  // One result for each order, in their order. REQUIRES: at most limits::kMaxPaymentsPerCall orders.
  CallResult<PaymentResults> ProcessPayments(const std::string& access_token,
                                             const std::vector<protocol::PaymentOrder>& orders);
  // Gives a payment up: as it stands, ABORTED for reason::kOrderCancelled if it was not known before.
  CallResult<protocol::PaymentRecord> CancelPayment(const std::string& access_token,
                                                    const protocol::PaymentOrder& order);
  CallResult<protocol::PaymentRecord> GetPayment(const std::string& access_token, const Uuid& id);
  CallResult<PaymentTrace> TracePayment(const std::string& access_token, const Uuid& id);
  CallResult<Balance> CheckBalance(const std::string& access_token, const std::string& bank_id);
  CallResult<HistoryPage> ViewTransactionHistory(const std::string& access_token, const HistoryRequest& request);

  // The same as their namesakes, without waiting, as ProcessPaymentAsync.
  void ProcessPaymentsAsync(const std::string& access_token, const std::vector<protocol::PaymentOrder>& orders,
                            Callback<PaymentResults> done);
  void GetPaymentAsync(const std::string& access_token, const Uuid& id, PaymentCallback done);
  void CheckBalanceAsync(const std::string& access_token, const std::string& bank_id, Callback<Balance> done);
  void ViewTransactionHistoryAsync(const std::string& access_token, const HistoryRequest& request,
                                   Callback<HistoryPage> done);

 private:
  struct Impl;
  explicit GatewayClient(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace strife::rpc
