#include "gateway/validate.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/host_port.h"
#include "base/limits.h"
#include "base/text.h"
#include "protocol/reason.h"

namespace strife::gateway {

using rpc::ApiError;
using rpc::ApiResult;
using rpc::InvalidField;

ApiResult<Uuid> ValidateTransactionId(const std::string& text) {
  const auto id = Uuid::Parse(text);
  if (!id) {
    return std::unexpected(
        InvalidField("transaction_id", "must be a UUID such as 0190163d-8694-739b-aea5-966c26f8ad91"));
  }
  return *id;
}

namespace {

std::optional<ApiError> CheckAccount(const std::string& field, const protocol::AccountRef& ref) {
  if (!IsIdentifier(ref.bank_id, limits::kMaxBankIdBytes)) return InvalidField(field + ".bank_id", "is not a bank id");
  if (!IsIdentifier(ref.account_id, limits::kMaxAccountIdBytes)) {
    return InvalidField(field + ".account_id", "is not an account id");
  }
  return std::nullopt;
}

}  // namespace

ApiResult<protocol::PaymentOrder> ValidatePayment(rpc::PaymentRequest request, const std::string& payer) {
  const auto id = ValidateTransactionId(request.transaction_id);
  if (!id) return std::unexpected(id.error());
  if (auto error = CheckAccount("from", request.from)) return std::unexpected(*std::move(error));
  if (auto error = CheckAccount("to", request.to)) return std::unexpected(*std::move(error));
  if (request.from == request.to) {
    return std::unexpected(InvalidField("to", "is the account the payment comes from; name another"));
  }
  const auto currency = Currency::Parse(request.currency);
  if (!currency) return std::unexpected(InvalidField("amount.currency", "is not an ISO 4217 currency code"));
  if (request.minor_units <= 0) return std::unexpected(InvalidField("amount.minor_units", "must be more than zero"));
  if (request.minor_units > limits::kMaxAmountMinorUnits) {
    return std::unexpected(
        InvalidField("amount.minor_units", "must be at most " + std::to_string(limits::kMaxAmountMinorUnits)));
  }
  if (request.memo.size() > limits::kMaxMemoBytes) {
    return std::unexpected(
        InvalidField("memo", "must be at most " + std::to_string(limits::kMaxMemoBytes) + " bytes long"));
  }
  if (!IsPrintableUtf8(request.memo)) {
    return std::unexpected(InvalidField("memo", "must be UTF-8 text without control characters"));
  }
  return protocol::PaymentOrder{*id,
                                payer,
                                std::move(request.from),
                                std::move(request.to),
                                Money{request.minor_units, *currency},
                                std::move(request.memo)};
}

std::string PageToken(WallTime time, const Uuid& id) {
  return std::to_string(time.time_since_epoch().count()) + "." + id.ToString();
}

std::string PageToken(const protocol::PaymentRecord& last) { return PageToken(last.created_at, last.order.id); }

ApiResult<HistoryQuery::Position> ParsePageToken(const std::string& token) {
  std::int64_t time_us = 0;
  const char* const begin = token.data();
  const char* const end = begin + token.size();
  const auto [dot, error] = std::from_chars(begin, end, time_us);
  const bool has_time = error == std::errc() && dot != end && *dot == '.';
  const auto id = has_time ? Uuid::Parse({dot + 1, end}) : std::nullopt;
  if (!id) {
    return std::unexpected(InvalidField("page_token", "is not the next_page_token of an earlier answer"));
  }
  return HistoryQuery::Position{WallTime(Duration(time_us)), *id};
}

ApiResult<HistoryQuery> ValidateHistory(const rpc::HistoryRequest& request, const std::string& payer) {
  HistoryQuery query;
  query.payer = payer;
  query.state = request.state;
  query.since = request.since;
  query.until = request.until;
  if (request.page_size < 0 || request.page_size > limits::kMaxHistoryPageRows) {
    return std::unexpected(InvalidField("page_size", "must be 0 to " + std::to_string(limits::kMaxHistoryPageRows)));
  }
  query.limit = request.page_size == 0 ? limits::kDefaultHistoryPageRows : request.page_size;
  if (request.page_token.empty()) return query;
  auto after = ParsePageToken(request.page_token);
  if (!after) return std::unexpected(after.error());
  query.after = *after;
  return query;
}

namespace {

bool IsHost(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    in6_addr address{};
    return inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &address) == 1;
  }
  return IsIdentifier(host, limits::kMaxEndpointBytes);
}

// What a bank says it has seen of a gateway's store; returns what is wrong with it.
template <typename Input>
std::optional<rpc::ApiError> TakeSeen(const std::string& store_id, std::uint64_t sequence, Input& input) {
  if (!store_id.empty()) {
    input.store_id = Uuid::Parse(store_id);
    if (!input.store_id) return InvalidField("gateway_store_id", "is not a UUID");
  }
  if (sequence > limits::kMaxSequence) return InvalidField("gateway_sequence", "is larger than that of any gateway");
  input.sequence = sequence;
  return std::nullopt;
}

bool IsEndpoint(std::string_view text) {
  const auto parsed = ParseHostPort(text);
  return text.size() <= limits::kMaxEndpointBytes && parsed && parsed->port != 0 &&
         IsHost(text.substr(0, text.rfind(':')));
}

}  // namespace

ApiResult<protocol::RegisterInput> ValidateRegistration(rpc::RegistrationRequest request) {
  const protocol::BankRecord& bank = request.bank;
  if (!IsIdentifier(bank.bank_id, limits::kMaxBankIdBytes)) {
    return std::unexpected(InvalidField("bank_id", "is not a bank id"));
  }
  if (bank.display_name.size() > limits::kMaxDisplayNameBytes || !IsPrintableUtf8(bank.display_name)) {
    return std::unexpected(InvalidField("display_name", "is too long or not printable text"));
  }
  if (!IsEndpoint(bank.endpoint)) {
    return std::unexpected(InvalidField("endpoint", "must be host:port, with an IPv6 address in brackets"));
  }
  if (bank.currencies.size() > limits::kMaxCurrenciesPerBank) {
    return std::unexpected(InvalidField("currencies", "has too many entries"));
  }
  for (const std::string& code : bank.currencies) {
    if (!Currency::Parse(code)) return std::unexpected(InvalidField("currencies", "has an unknown ISO 4217 code"));
  }
  if (bank.capabilities.size() > limits::kMaxCapabilitiesPerBank) {
    return std::unexpected(InvalidField("capabilities", "has too many entries"));
  }
  for (const std::string& capability : bank.capabilities) {
    if (!IsIdentifier(capability, limits::kMaxBankIdBytes)) {
      return std::unexpected(InvalidField("capabilities", "has an entry that is not a plain word"));
    }
  }
  protocol::RegisterInput input;
  if (auto wrong = TakeSeen(request.gateway_store_id, request.gateway_sequence, input)) {
    return std::unexpected(*std::move(wrong));
  }
  input.bank = std::move(request.bank);
  return input;
}

ApiResult<protocol::InquiryInput> ValidateInquiry(const rpc::InquiryRequest& request) {
  const auto id = ValidateTransactionId(request.transaction_id);
  if (!id) return std::unexpected(id.error());
  protocol::InquiryInput input;
  input.id = *id;
  if (auto wrong = TakeSeen(request.gateway_store_id, request.gateway_sequence, input)) {
    return std::unexpected(*std::move(wrong));
  }
  return input;
}

}  // namespace strife::gateway
