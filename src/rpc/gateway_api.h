// The gateway's interface in plain types: what rpc/gateway_server.h translates PaymentGateway calls to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rpc/api.h"
#include "rpc/payment_trace.h"

namespace strife::rpc {

struct SessionGrant {
  std::string access_token;  // secret, as the refresh token
  WallTime expires_at;
  std::string refresh_token;
  WallTime refresh_expires_at;
  std::vector<protocol::AccountRef> accounts;
};

// As it came in; nothing is checked yet.
struct PaymentRequest {
  std::string transaction_id;
  protocol::AccountRef from;
  protocol::AccountRef to;
  std::int64_t minor_units = 0;
  std::string currency;
  std::string memo;
  std::optional<protocol::TraceContext> trace{};  // as it came with the call, if it makes sense
};

struct HistoryRequest {
  std::int32_t page_size = 0;
  std::string page_token;
  std::optional<protocol::PaymentState> state;
  std::optional<WallTime> since;
  std::optional<WallTime> until;
};

struct HistoryPage {
  std::vector<protocol::PaymentRecord> payments;
  std::string next_page_token;
};

struct RegistrationRequest {
  protocol::BankRecord bank;     // registered_at unset
  std::string gateway_store_id;  // UUID text or empty
  std::uint64_t gateway_sequence = 0;
};

struct Registration {
  protocol::BankRecord bank;
  Duration heartbeat_interval;
  Uuid gateway_store_id;
};

struct InquiryRequest {
  std::string transaction_id;
  std::string gateway_store_id;  // UUID text or empty
  std::uint64_t gateway_sequence = 0;
};

struct InquiryResponse {
  protocol::Decision decision = protocol::Decision::kPending;
  std::uint64_t gateway_epoch = 0;
};

// Called from the transport's threads: nothing here may block. Arguments are taken by value to be moved on.
class GatewayApi {
 public:
  virtual ~GatewayApi() = default;

  // The claims of a token that may be used now: signature, times, certificate, session not revoked, user still allowed.
  virtual ApiResult<security::AccessTokenClaims> CheckToken(std::string_view token,
                                                            const security::Certificate& certificate) = 0;

  virtual void AuthenticateClient(Caller caller, std::string username, std::string password,
                                  Done<SessionGrant> done) = 0;
  virtual void RefreshSession(Caller caller, std::string refresh_token, Done<SessionGrant> done) = 0;
  virtual void LogoutClient(Caller caller, Done<Nothing> done) = 0;
  virtual void ProcessPayment(Caller caller, PaymentRequest request, Done<protocol::PaymentRecord> done) = 0;
  // The payment as it stands; if it was not known, it is now recorded as given up and will never be made.
  virtual void CancelPayment(Caller caller, PaymentRequest request, Done<protocol::PaymentRecord> done) = 0;
  virtual void GetPayment(Caller caller, std::string transaction_id, Done<protocol::PaymentRecord> done) = 0;
  virtual void TracePayment(Caller caller, std::string transaction_id, Done<PaymentTrace> done) = 0;
  virtual void CheckBalance(Caller caller, std::string bank_id, Done<Balance> done) = 0;
  virtual void ViewTransactionHistory(Caller caller, HistoryRequest request, Done<HistoryPage> done) = 0;
  virtual void RegisterBank(Caller caller, RegistrationRequest request, Done<Registration> done) = 0;
  virtual void InquireTransaction(Caller caller, InquiryRequest request, Done<InquiryResponse> done) = 0;
};

}  // namespace strife::rpc
