#include "security/policy.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace strife::security {
namespace {

constexpr std::string_view kGatewayService = "/strife.v1.PaymentGateway/";
constexpr std::string_view kBankService = "/strife.v1.Bank/";

// The methods of every service in a .proto file, as gRPC names them.
std::vector<std::string> MethodsIn(const std::string& file) {
  std::ifstream stream(std::string(STRIFE_SOURCE_DIR) + "/proto/strife/v1/" + file);
  std::vector<std::string> methods;
  std::string service;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string keyword, name;
    words >> keyword >> name;
    if (keyword == "service") service = name;
    if (keyword == "rpc") methods.push_back("/strife.v1." + service + "/" + name.substr(0, name.find('(')));
  }
  return methods;
}

std::vector<std::string> AllMethods() {
  std::vector<std::string> methods = MethodsIn("gateway.proto");
  for (const char* file : {"bank.proto", "admin.proto"}) {
    for (std::string& method : MethodsIn(file)) methods.push_back(std::move(method));
  }
  return methods;
}

Identity Of(Role role) { return {"strife.local", role, "somebody"}; }

bool May(std::string_view method, Role role) { return AuthorizeCertificate(FindPolicy(method), Of(role)).has_value(); }

std::string Gateway(const std::string& method) { return std::string(kGatewayService) + method; }
std::string Bank(const std::string& method) { return std::string(kBankService) + method; }

TEST(Policy, EveryMethodOfEveryServiceHasARow) {
  const auto methods = AllMethods();
  ASSERT_GE(methods.size(), 18u);
  EXPECT_TRUE(MissingFromPolicy(methods).empty());
}

TEST(Policy, EveryRowIsAMethodThatExists) {
  std::set<std::string> known = {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"};
  for (std::string& method : AllMethods()) known.insert(std::move(method));
  for (const MethodPolicy& row : PolicyTable()) EXPECT_EQ(known.erase(std::string(row.method)), 1u) << row.method;
  EXPECT_TRUE(known.empty());
}

TEST(Policy, MethodWithoutARow_IsNamedAtStartAndRefusedToEverybody) {
  const std::vector<std::string> methods = {Gateway("ProcessPayment"), Gateway("MintMoney")};
  EXPECT_EQ(MissingFromPolicy(methods), std::vector<std::string>{Gateway("MintMoney")});
  for (const std::string& method : {Gateway("MintMoney"), std::string(), Gateway("processpayment"), Gateway(""),
                                    std::string("strife.v1.PaymentGateway/ProcessPayment")}) {
    EXPECT_EQ(FindPolicy(method), nullptr) << method;
    for (Role role : {Role::kGateway, Role::kBank, Role::kClient, Role::kOperator}) {
      EXPECT_EQ(AuthorizeCertificate(FindPolicy(method), Of(role)).error().code, ErrorCode::kPermissionDenied);
    }
  }
}

TEST(Policy, ClientCertificateCallingABankMethod_IsRefused) {
  for (const std::string& method : MethodsIn("bank.proto")) EXPECT_FALSE(May(method, Role::kClient)) << method;
}

TEST(Policy, BankCertificateCallingABankMethod_IsRefused) {
  for (const std::string& method : MethodsIn("bank.proto")) EXPECT_FALSE(May(method, Role::kBank)) << method;
}

TEST(Policy, BankOrOperatorCertificateCallingAUserMethod_IsRefused) {
  for (const char* name : {"AuthenticateClient", "RefreshSession", "LogoutClient", "ProcessPayment", "ProcessPayments",
                           "GetPayment", "TracePayment", "CheckBalance", "ViewTransactionHistory"}) {
    EXPECT_TRUE(May(Gateway(name), Role::kClient)) << name;
    for (Role role : {Role::kBank, Role::kOperator, Role::kGateway}) EXPECT_FALSE(May(Gateway(name), role)) << name;
  }
}

TEST(Policy, OnlyBanksRegisterAndInquire) {
  for (const char* name : {"RegisterBank", "InquireTransaction"}) {
    EXPECT_TRUE(May(Gateway(name), Role::kBank));
    for (Role role : {Role::kClient, Role::kOperator, Role::kGateway}) EXPECT_FALSE(May(Gateway(name), role));
    EXPECT_TRUE(AuthorizeCall(FindPolicy(Gateway(name)), Of(Role::kBank), nullptr));
  }
}

TEST(Policy, OnlyTheGatewayCommandsABank) {
  for (const char* name :
       {"GetBalance", "PrepareTransaction", "CommitTransaction", "AbortTransaction", "ExecuteBatch"}) {
    EXPECT_TRUE(May(Bank(name), Role::kGateway)) << name;
    EXPECT_FALSE(May(Bank(name), Role::kOperator)) << name;
  }
}

TEST(Policy, OperatorMayInspectABankAndOnlyItMoveCash) {
  for (const char* name : {"GetTransactionStatus", "GetLedgerTotals"}) {
    EXPECT_TRUE(May(Bank(name), Role::kOperator));
    EXPECT_TRUE(May(Bank(name), Role::kGateway));
  }
  EXPECT_TRUE(May(Bank("ProcessTransaction"), Role::kOperator));
  EXPECT_FALSE(May(Bank("ProcessTransaction"), Role::kGateway));
}

TEST(Policy, OnlyOperatorsCallTheAdminServices) {
  const auto methods = MethodsIn("admin.proto");
  ASSERT_GE(methods.size(), 4u);
  for (const std::string& method : methods) {
    EXPECT_TRUE(May(method, Role::kOperator)) << method;
    for (Role role : {Role::kGateway, Role::kBank, Role::kClient}) EXPECT_FALSE(May(method, role)) << method;
  }
}

TEST(Policy, UserMethodWithoutAToken_IsUnauthenticated) {
  for (const char* name : {"LogoutClient", "ProcessPayment", "ProcessPayments", "GetPayment", "TracePayment",
                           "CheckBalance", "ViewTransactionHistory"}) {
    const Status status = AuthorizeCall(FindPolicy(Gateway(name)), Of(Role::kClient), nullptr);
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().code, ErrorCode::kUnauthenticated);
    AccessTokenClaims claims;
    EXPECT_TRUE(AuthorizeCall(FindPolicy(Gateway(name)), Of(Role::kClient), &claims)) << name;
  }
}

TEST(Policy, LoginAndRefresh_NeedNoToken) {
  for (const char* name : {"AuthenticateClient", "RefreshSession"}) {
    EXPECT_TRUE(AuthorizeCall(FindPolicy(Gateway(name)), Of(Role::kClient), nullptr));
  }
}

TEST(Policy, TokenDoesNotMakeUpForTheWrongCertificate) {
  AccessTokenClaims claims;
  EXPECT_FALSE(AuthorizeCall(FindPolicy(Gateway("ProcessPayment")), Of(Role::kOperator), &claims));
  EXPECT_FALSE(AuthorizeCall(FindPolicy(Bank("ProcessTransaction")), Of(Role::kClient), &claims));
}

TEST(Policy, OperatorWhomTheServerDoesNotName_IsRefusedNamingOperatorServerAndSetting) {
  const Identity bank{"strife.local", Role::kBank, "bank1"};
  const Identity olga{"strife.local", Role::kOperator, "olga"};
  EXPECT_TRUE(AuthorizeOperator({{"otto", "olga"}}, olga, bank));
  for (const OperatorNames& others : {OperatorNames{{"otto", "olga2"}}, OperatorNames{std::vector<std::string>{}}}) {
    const Status status = AuthorizeOperator(others, olga, bank);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(status.error().message,
              "operator/olga is no operator of bank1: \"operators\" in the configuration of bank1 does not name it");
  }
}

TEST(Policy, ServerThatNamesNoOperators_TakesAllAndTheListIsAboutOperatorsOnly) {
  const Identity bank{"strife.local", Role::kBank, "bank1"};
  EXPECT_TRUE(AuthorizeOperator(std::nullopt, Of(Role::kOperator), bank));
  for (Role role : {Role::kGateway, Role::kBank, Role::kClient}) {
    EXPECT_TRUE(AuthorizeOperator({{"otto"}}, Of(role), bank));
  }
}

TEST(Policy, AnyIdentityMayCheckHealthButClientsMayNotWatch) {
  for (Role role : {Role::kGateway, Role::kBank, Role::kClient, Role::kOperator}) {
    EXPECT_TRUE(May("/grpc.health.v1.Health/Check", role));
  }
  EXPECT_FALSE(May("/grpc.health.v1.Health/Watch", Role::kClient));
}

}  // namespace
}  // namespace strife::security
