// The gateway's side of the API: validates, authorises and hands to the engine; reads go to a pool of workers.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/limits.h"
#include "env/clock.h"
#include "gateway/gateway_machine.h"
#include "gateway/login_metrics.h"
#include "gateway/logins.h"
#include "gateway/open_payments.h"
#include "gateway/payment_metrics.h"
#include "gateway/suspensions.h"
#include "gateway/tracing.h"
#include "observability/log.h"
#include "rpc/bank_links.h"
#include "rpc/gateway_api.h"
#include "runtime/worker_pool.h"
#include "server/disk_space.h"
#include "server/event_counts.h"

namespace strife::gateway {

// Thread-safe. Everything passed by reference must outlive it.
class GatewayService final : public rpc::GatewayApi {
 public:
  struct Parts {
    Logins& logins;
    GatewayReader& reader;
    rpc::BankLinks& links;
    runtime::WorkerPool& workers;
    Logger& log;  // transactions.log
    server::EventCounts& events;
    PaymentMetrics& metrics;
    LoginMetrics& login_metrics;
    Clock& clock;
    // Puts an input into the engine's inbox; false when it is full or closed.
    std::function<bool(GatewayInput)> submit;
    // Of the payer, who takes turns with others when more wait than may begin.
    std::function<bool(const std::string& payer, GatewayInput)> submit_payment;
    Uuid store_id;
    std::uint64_t epoch;
    Duration heartbeat_interval;
    const server::DiskSpace& disk;
    Suspensions& suspensions;
    Tracing& tracing;
  };

  explicit GatewayService(Parts parts) : parts_(std::move(parts)) {}

  // From now on nothing new is taken.
  void StartDraining() { draining_ = true; }
  // Operators want no new payments, or want them again.
  void SetDrained(bool drained) { drained_ = drained; }
  bool drained() const { return drained_; }
  // Payments taken and not yet answered.
  std::size_t open_payments() const { return open_payments_.size(); }

  // Sends and answers what the engine has made durable, in the cycle that began at `cycle_began`. On the engine's
  // thread.
  void Deliver(GatewayEffects effects, MonotonicTime cycle_began);

  rpc::ApiResult<security::AccessTokenClaims> CheckToken(std::string_view token,
                                                         const security::Certificate& certificate) override;
  void AuthenticateClient(rpc::Caller caller, std::string username, std::string password,
                          rpc::Done<rpc::SessionGrant> done) override;
  void RefreshSession(rpc::Caller caller, std::string refresh_token, rpc::Done<rpc::SessionGrant> done) override;
  void LogoutClient(rpc::Caller caller, rpc::Done<rpc::Nothing> done) override;
  void ProcessPayment(rpc::Caller caller, rpc::PaymentRequest request,
                      rpc::Done<protocol::PaymentRecord> done) override;
  void CancelPayment(rpc::Caller caller, rpc::PaymentRequest request, rpc::Done<protocol::PaymentRecord> done) override;
  void GetPayment(rpc::Caller caller, std::string transaction_id, rpc::Done<protocol::PaymentRecord> done) override;
  void TracePayment(rpc::Caller caller, std::string transaction_id, rpc::Done<rpc::PaymentTrace> done) override;
  void CheckBalance(rpc::Caller caller, std::string bank_id, rpc::Done<rpc::Balance> done) override;
  void ViewTransactionHistory(rpc::Caller caller, rpc::HistoryRequest request,
                              rpc::Done<rpc::HistoryPage> done) override;
  void RegisterBank(rpc::Caller caller, rpc::RegistrationRequest request, rpc::Done<rpc::Registration> done) override;
  void InquireTransaction(rpc::Caller caller, rpc::InquiryRequest request,
                          rpc::Done<rpc::InquiryResponse> done) override;

 private:
  // To the engine, in its payer's turn.
  void Submit(protocol::SubmitInput input, rpc::Done<protocol::PaymentRecord> done);
  void LogPayment(const protocol::PaymentRecord& payment, const protocol::TraceRecord* trace);
  void LogEvent(const protocol::CoordinatorEvent& event);

  const Parts parts_;
  std::atomic<bool> draining_ = false;
  std::atomic<bool> drained_ = false;
  OpenPayments open_payments_{limits::kMaxOpenPayments, limits::kMaxOpenPaymentsPerUser};
};

}  // namespace strife::gateway
