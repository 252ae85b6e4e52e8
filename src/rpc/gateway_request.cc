#include "rpc/gateway_request.h"

#include "rpc/convert.h"

namespace strife::rpc {

PaymentRequest FromProto(const v1::ProcessPaymentRequest& request) {
  return {.transaction_id = request.transaction_id(),
          .from = FromProto(request.from()),
          .to = FromProto(request.to()),
          .minor_units = request.amount().minor_units(),
          .currency = request.amount().currency(),
          .memo = request.memo()};
}

ApiResult<HistoryRequest> FromProto(const v1::ViewTransactionHistoryRequest& request) {
  HistoryRequest history{.page_size = request.page_size(),
                         .page_token = request.page_token(),
                         .state = std::nullopt,
                         .since = std::nullopt,
                         .until = std::nullopt};
  if (request.state() != v1::PAYMENT_STATE_UNSPECIFIED) {
    history.state = FromProto(request.state());
    if (!history.state) return std::unexpected(InvalidField("state", "is no payment state"));
  }
  if (request.has_since()) {
    history.since = FromProto(request.since());
    if (!history.since) return std::unexpected(InvalidField("since", "is out of range"));
  }
  if (request.has_until()) {
    history.until = FromProto(request.until());
    if (!history.until) return std::unexpected(InvalidField("until", "is out of range"));
  }
  return history;
}

RegistrationRequest FromProto(const v1::RegisterBankRequest& request) {
  RegistrationRequest registration;
  registration.bank.bank_id = request.bank_id();
  registration.bank.display_name = request.display_name();
  registration.bank.endpoint = request.endpoint();
  registration.bank.currencies.assign(request.currencies().begin(), request.currencies().end());
  registration.bank.capabilities.assign(request.capabilities().begin(), request.capabilities().end());
  registration.gateway_store_id = request.gateway_store_id();
  registration.gateway_sequence = request.gateway_sequence();
  return registration;
}

}  // namespace strife::rpc
