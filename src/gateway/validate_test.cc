#include "gateway/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "base/limits.h"
#include "protocol/test_support.h"

namespace strife::gateway {
namespace {

using rpc::ApiCode;
using ::testing::HasSubstr;

constexpr const char* kId = "0190163d-8694-739b-aea5-966c26f8ad91";

rpc::PaymentRequest GoodPayment() {
  return {.transaction_id = kId,
          .from = {"a", "payer"},
          .to = {"b", "payee"},
          .minor_units = 100,
          .currency = "USD",
          .memo = "rent"};
}

// A good request with one thing changed, and the field the refusal must name.
template <typename Request>
struct Bad {
  const char* field;
  std::function<void(Request&)> spoil;
};

template <typename Result>
void ExpectRefused(const Result& result, const std::string& field, std::size_t row) {
  ASSERT_FALSE(result) << "row " << row << " was to name " << field;
  EXPECT_EQ(result.error().code, ApiCode::kInvalidArgument) << "row " << row;
  EXPECT_EQ(result.error().reason_code, "INVALID_ARGUMENT") << "row " << row;
  EXPECT_EQ(result.error().field, field) << "row " << row;
  EXPECT_THAT(result.error().message, HasSubstr(field)) << "row " << row;
  EXPECT_FALSE(result.error().retryable) << "row " << row;
}

// ---- Payments ----

TEST(ValidatePayment, GoodRequest_BecomesTheOrderOfTheAuthenticatedPayer) {
  const auto order = ValidatePayment(GoodPayment(), "ann");
  ASSERT_TRUE(order) << order.error().message;
  const protocol::PaymentOrder expected{*Uuid::Parse(kId),           "ann", {"a", "payer"}, {"b", "payee"},
                                        protocol::testing::Usd(100), "rent"};
  EXPECT_EQ(*order, expected);
}

TEST(ValidatePayment, EverythingAtItsLimit_IsTaken) {
  rpc::PaymentRequest request = GoodPayment();
  request.from = {std::string(limits::kMaxBankIdBytes, 'a'), std::string(limits::kMaxAccountIdBytes, 'b')};
  request.minor_units = limits::kMaxAmountMinorUnits;
  request.memo = std::string(limits::kMaxMemoBytes, 'm');
  EXPECT_TRUE(ValidatePayment(request, "ann"));
  request.minor_units = 1;
  request.memo = "";
  EXPECT_TRUE(ValidatePayment(request, "ann"));
}

TEST(ValidatePayment, OtherAccountAtTheSameBank_IsTaken) {
  rpc::PaymentRequest request = GoodPayment();
  request.to.bank_id = request.from.bank_id;
  EXPECT_TRUE(ValidatePayment(request, "ann"));
}

TEST(ValidatePayment, BadField_IsRefusedNamingIt) {
  using Request = rpc::PaymentRequest;
  const std::vector<Bad<Request>> bad = {
      {"transaction_id", [](Request& r) { r.transaction_id = ""; }},
      {"transaction_id", [](Request& r) { r.transaction_id = "0190163d8694739baea5966c26f8ad91"; }},
      {"transaction_id", [](Request& r) { r.transaction_id += "0"; }},
      {"transaction_id", [](Request& r) { r.transaction_id = "00000000-0000-0000-0000-000000000000"; }},
      {"from.bank_id", [](Request& r) { r.from.bank_id = ""; }},
      {"from.bank_id", [](Request& r) { r.from.bank_id = std::string(limits::kMaxBankIdBytes + 1, 'a'); }},
      {"from.account_id", [](Request& r) { r.from.account_id = ""; }},
      {"from.account_id", [](Request& r) { r.from.account_id = "clearing:USD"; }},
      {"to.bank_id", [](Request& r) { r.to.bank_id = "../b"; }},
      {"to.account_id", [](Request& r) { r.to.account_id = std::string(limits::kMaxAccountIdBytes + 1, 'a'); }},
      {"to.account_id", [](Request& r) { r.to.account_id = std::string("pay\0ee", 6); }},
      {"to", [](Request& r) { r.to = r.from; }},
      {"amount.currency", [](Request& r) { r.currency = ""; }},
      {"amount.currency", [](Request& r) { r.currency = "usd"; }},
      {"amount.currency", [](Request& r) { r.currency = "ZZZ"; }},
      {"amount.minor_units", [](Request& r) { r.minor_units = 0; }},
      {"amount.minor_units", [](Request& r) { r.minor_units = -1; }},
      {"amount.minor_units", [](Request& r) { r.minor_units = std::numeric_limits<std::int64_t>::min(); }},
      {"amount.minor_units", [](Request& r) { r.minor_units = limits::kMaxAmountMinorUnits + 1; }},
      {"amount.minor_units", [](Request& r) { r.minor_units = std::numeric_limits<std::int64_t>::max(); }},
      {"memo", [](Request& r) { r.memo = std::string(limits::kMaxMemoBytes + 1, 'm'); }},
      {"memo", [](Request& r) { r.memo = "two\nlines"; }},
      {"memo", [](Request& r) { r.memo = "\x1b[31mred"; }},
      {"memo", [](Request& r) { r.memo = "\xff\xfe"; }},
      {"memo",
       [](Request& r) {
         r.memo =
             "\xe2\x80\xae"
             "backwards";
       }},
  };
  for (std::size_t row = 0; row < bad.size(); ++row) {
    rpc::PaymentRequest request = GoodPayment();
    bad[row].spoil(request);
    ExpectRefused(ValidatePayment(std::move(request), "ann"), bad[row].field, row);
  }
}

// ---- History ----

TEST(ValidateHistory, NothingAskedFor_IsTheFirstPageOfTheCallersOwnPayments) {
  const auto query = ValidateHistory({}, "ann");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->payer, "ann");
  EXPECT_EQ(query->limit, limits::kDefaultHistoryPageRows);
  EXPECT_FALSE(query->state || query->since || query->until || query->after);
}

TEST(ValidateHistory, Filters_AreHandedOn) {
  rpc::HistoryRequest request;
  request.page_size = limits::kMaxHistoryPageRows;
  request.state = protocol::PaymentState::kAborted;
  request.since = WallTime(Duration(5));
  request.until = WallTime(Duration(9));
  const auto query = ValidateHistory(request, "ann");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->limit, limits::kMaxHistoryPageRows);
  EXPECT_EQ(query->state, protocol::PaymentState::kAborted);
  EXPECT_EQ(query->since, WallTime(Duration(5)));
  EXPECT_EQ(query->until, WallTime(Duration(9)));
}

TEST(ValidateHistory, PageToken_ContinuesAfterThePaymentItWasMadeFrom) {
  protocol::PaymentRecord last;
  last.order.id = *Uuid::Parse(kId);
  last.created_at = WallTime(Duration(1'700'000'000'123'456));
  rpc::HistoryRequest request;
  request.page_token = PageToken(last);
  const auto query = ValidateHistory(request, "ann");
  ASSERT_TRUE(query) << query.error().message;
  ASSERT_TRUE(query->after);
  EXPECT_EQ(query->after->created_at, last.created_at);
  EXPECT_EQ(query->after->id, last.order.id);
}

TEST(ValidateHistory, GarbagePageToken_IsRefusedNamingIt) {
  const std::string id = kId;
  const std::vector<std::string> garbage = {"x",
                                            "1",
                                            "1.",
                                            "." + id,
                                            "1." + id + "0",
                                            "1.0" + id,
                                            "one." + id,
                                            "1," + id,
                                            "1.5." + id,
                                            " 1." + id,
                                            "99999999999999999999." + id,
                                            "1.00000000-0000-0000-0000-000000000000",
                                            std::string(100'000, '9')};
  for (std::size_t row = 0; row < garbage.size(); ++row) {
    rpc::HistoryRequest request;
    request.page_token = garbage[row];
    ExpectRefused(ValidateHistory(request, "ann"), "page_token", row);
  }
}

TEST(ValidateHistory, PageSizeOutOfRange_IsRefusedNamingIt) {
  for (const int size : {-1, std::numeric_limits<int>::min(), limits::kMaxHistoryPageRows + 1}) {
    rpc::HistoryRequest request;
    request.page_size = size;
    ExpectRefused(ValidateHistory(request, "ann"), "page_size", 0);
  }
}

// ---- Registration ----

rpc::RegistrationRequest GoodRegistration() {
  rpc::RegistrationRequest request;
  request.bank.bank_id = "a";
  request.bank.display_name = "Bank A";
  request.bank.endpoint = "localhost:7001";
  request.bank.currencies = {"USD", "EUR"};
  request.bank.capabilities = {"execute-batch"};
  request.gateway_store_id = kId;
  request.gateway_sequence = 17;
  return request;
}

TEST(ValidateRegistration, GoodRequest_BecomesTheInput) {
  const auto input = ValidateRegistration(GoodRegistration());
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->bank, GoodRegistration().bank);
  EXPECT_EQ(input->store_id, Uuid::Parse(kId));
  EXPECT_EQ(input->sequence, 17u);
}

TEST(ValidateRegistration, BankThatHasSeenNoGateway_SaysNoStore) {
  rpc::RegistrationRequest request = GoodRegistration();
  request.gateway_store_id = "";
  const auto input = ValidateRegistration(std::move(request));
  ASSERT_TRUE(input);
  EXPECT_FALSE(input->store_id);
}

TEST(ValidateRegistration, Endpoint_IsAHostAndAPort) {
  const auto taken = [](const std::string& endpoint) {
    rpc::RegistrationRequest request = GoodRegistration();
    request.bank.endpoint = endpoint;
    return ValidateRegistration(std::move(request)).has_value();
  };
  for (const char* good :
       {"bank1.example.org:50053", "BANK_1:1", "10.0.0.7:65535", "[::1]:50053", "[fe80::1:2]:50053"}) {
    EXPECT_TRUE(taken(good)) << good;
  }
  for (const char* bad :
       {"unix-abstract:x", "xds:bank:1", "vsock:1:2",   "ipv4:10.0.0.7:1", "ipv6:[::1]:1",    "dns:///bank1:1",
        "bank1:http",      "bank1:0",    "bank1:65536", "bank1:+1",        "bank1:-1",        "bank1: 1",
        "bank1:1 ",        "ba nk:1",    "a,b:1",       "bank1%41:1",      "::1:50053",       "[::1]",
        "[bank1]:1",       "[::1:1",     "[]:1",        "[10.0.0.7]:1",    "[fe80::1%eth0]:1"}) {
    EXPECT_FALSE(taken(bad)) << bad;
  }
}

TEST(ValidateRegistration, BadField_IsRefusedNamingIt) {
  using Request = rpc::RegistrationRequest;
  const std::vector<Bad<Request>> bad = {
      {"bank_id", [](Request& r) { r.bank.bank_id = ""; }},
      {"bank_id", [](Request& r) { r.bank.bank_id = "a/b"; }},
      {"display_name", [](Request& r) { r.bank.display_name = "\x1b]0;title"; }},
      {"display_name", [](Request& r) { r.bank.display_name = std::string(limits::kMaxDisplayNameBytes + 1, 'a'); }},
      {"endpoint", [](Request& r) { r.bank.endpoint = ""; }},
      {"endpoint", [](Request& r) { r.bank.endpoint = "localhost"; }},
      {"endpoint", [](Request& r) { r.bank.endpoint = ":7001"; }},
      {"endpoint", [](Request& r) { r.bank.endpoint = "localhost:"; }},
      {"endpoint", [](Request& r) { r.bank.endpoint = "unix:///tmp/socket:1"; }},
      {"endpoint", [](Request& r) { r.bank.endpoint = std::string(limits::kMaxEndpointBytes, 'h') + ":1"; }},
      {"currencies", [](Request& r) { r.bank.currencies.push_back("ZZZ"); }},
      {"currencies", [](Request& r) { r.bank.currencies.assign(limits::kMaxCurrenciesPerBank + 1, "USD"); }},
      {"capabilities", [](Request& r) { r.bank.capabilities.push_back("no spaces"); }},
      {"capabilities", [](Request& r) { r.bank.capabilities.assign(limits::kMaxCapabilitiesPerBank + 1, "x"); }},
      {"gateway_store_id", [](Request& r) { r.gateway_store_id = "store"; }},
      {"gateway_sequence", [](Request& r) { r.gateway_sequence = limits::kMaxSequence + 1; }},
  };
  for (std::size_t row = 0; row < bad.size(); ++row) {
    rpc::RegistrationRequest request = GoodRegistration();
    bad[row].spoil(request);
    ExpectRefused(ValidateRegistration(std::move(request)), bad[row].field, row);
  }
}

TEST(ValidateInquiry, BadField_IsRefusedNamingIt) {
  using Request = rpc::InquiryRequest;
  const std::string good = "11111111-1111-4111-8111-111111111111";
  const std::vector<Bad<Request>> bad = {
      {"transaction_id", [](Request& r) { r.transaction_id = "1"; }},
      {"gateway_store_id", [](Request& r) { r.gateway_store_id = "store"; }},
      {"gateway_sequence", [](Request& r) { r.gateway_sequence = limits::kMaxSequence + 1; }},
  };
  EXPECT_TRUE(ValidateInquiry({good, good, limits::kMaxSequence}));
  for (std::size_t row = 0; row < bad.size(); ++row) {
    rpc::InquiryRequest request{good, good, 1};
    bad[row].spoil(request);
    ExpectRefused(ValidateInquiry(request), bad[row].field, row);
  }
}

}  // namespace
}  // namespace strife::gateway
