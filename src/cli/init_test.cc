#include "cli/init.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>
#include <sstream>

#include "bank/bank_data.h"
#include "base/test_directory.h"
#include "cli/configs.h"
#include "security/credentials.h"
#include "security/password.h"
#include "security/pki.h"
#include "security/test_time.h"
#include "security/trust.h"
#include "security/users.h"

namespace strife::cli {
namespace {

using security::Role;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

const WallTime kNow{std::chrono::seconds(security::kTestUnixSeconds)};

std::string Slurp(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::pair<std::string, std::string>> ReadPasswords(const fs::path& path) {
  std::istringstream lines(Slurp(path));
  std::vector<std::pair<std::string, std::string>> rows;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t comma = line.find(',');
    rows.emplace_back(line.substr(0, comma), line.substr(comma + 1));
  }
  return rows;
}

class InitTest : public ::testing::Test {
 protected:
  fs::path dir() const { return directory_ / "net"; }
  NetworkOptions Options(int banks, int users) const {
    return {.dir = dir(), .banks = banks, .users = users, .port_base = 50052};
  }
  TestDirectory directory_;
};

TEST_F(InitTest, DefaultNetwork_EveryProcessCanLoadItsOwnConfigurationAndCredentials) {
  ASSERT_TRUE(WriteNetwork({.dir = dir()}, kNow));
  gateway::GatewayConfig gateway;
  ASSERT_TRUE(GatewaySettings(&gateway).Load(dir() / "gateway.toml"));
  EXPECT_EQ(gateway.listen, "127.0.0.1:50052");
  EXPECT_EQ(gateway.data_dir, dir() / "data/gateway");
  const auto gateway_credentials =
      security::LoadCredentials({gateway.ca_file, gateway.cert_file, gateway.key_file}, Role::kGateway, kNow);
  EXPECT_TRUE(gateway_credentials) << gateway_credentials.error().message;

  std::set<fs::path> log_dirs = {gateway.log_dir};
  for (int i = 1; i <= 3; ++i) {
    const std::string id = "bank" + std::to_string(i);
    bank::BankConfig bank;
    const Status loaded = BankSettings(&bank).Load(dir() / ("bank-" + id + ".toml"));
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(bank.listen, "127.0.0.1:" + std::to_string(50052 + i));
    EXPECT_EQ(bank.gateway, "127.0.0.1:50052");
    const auto credentials =
        security::LoadCredentials({bank.ca_file, bank.cert_file, bank.key_file}, Role::kBank, kNow);
    ASSERT_TRUE(credentials) << credentials.error().message;
    EXPECT_EQ(credentials->certificate.identity, (security::Identity{"strife.local", Role::kBank, id}));
    EXPECT_TRUE(bank::LoadBankData(bank.accounts_file));
    EXPECT_TRUE(log_dirs.insert(bank.log_dir).second) << "two processes would write the same logs";
  }
  client::ClientConfig client;
  ASSERT_TRUE(ClientSettings(&client).Load(dir() / "client.toml"));
  EXPECT_TRUE(security::LoadCredentials({client.ca_file, client.cert_file, client.key_file}, Role::kClient, kNow));
  EXPECT_TRUE(security::LoadCredentials(
      {dir() / "certs/ca.crt", dir() / "certs/operator.crt", dir() / "certs/operator.key"}, Role::kOperator, kNow));
  std::set<std::string> operators;
  for (const char* file : {"operator.toml", "operator2.toml"}) {
    OperatorConfig config;
    ASSERT_TRUE(OperatorSettings(&config).LoadFileOnly(dir() / file));
    const auto own =
        security::LoadCredentials({config.ca_file, config.cert_file, config.key_file}, Role::kOperator, kNow);
    ASSERT_TRUE(own) << own.error().message;
    EXPECT_TRUE(operators.insert(own->certificate.identity.name).second) << "one person must not be two";
    EXPECT_NE(config.banks.find("bank1="), std::string::npos);
  }
  EXPECT_EQ(client.crl_file, dir() / "certs/ca.crl");
  const auto trust = security::Trust::Load(client.ca_file, client.crl_file, kNow + std::chrono::hours(24 * 3600));
  EXPECT_TRUE(trust) << trust.error().message;
}

TEST_F(InitTest, DefaultNetwork_SecretsAreReadableByTheOwnerOnly) {
  ASSERT_TRUE(WriteNetwork(Options(2, 2), kNow));
  for (const char* secret :
       {"certs/ca.key", "certs/gateway.key", "certs/bank1.key", "certs/bank2.key", "certs/client.key",
        "certs/operator.key", "certs/operator2.key", "passwords.csv", "users.json"}) {
    EXPECT_EQ(ModeOf(dir() / secret), 0600) << secret;
  }
  EXPECT_EQ(ModeOf(dir() / "data"), 0700);
}

TEST_F(InitTest, Users_HaveAccountsAtTheirTwoBanksWithOpeningBalances) {
  ASSERT_TRUE(WriteNetwork(Options(3, 8), kNow));
  const auto users = security::UserDirectory::Load(dir() / "users.json");
  ASSERT_TRUE(users) << users.error().message;
  ASSERT_EQ(users->users().size(), 8u);
  std::set<std::pair<std::string, std::string>> owned;
  for (int k = 1; k <= 8; ++k) {
    const security::User* user = users->Find("user" + std::to_string(k));
    ASSERT_NE(user, nullptr);
    const std::string first = "bank" + std::to_string((k - 1) % 3 + 1);
    const std::string second = "bank" + std::to_string(k % 3 + 1);
    ASSERT_EQ(user->accounts.size(), 2u);
    EXPECT_NE(user->AccountAt(first), nullptr);
    EXPECT_NE(user->AccountAt(second), nullptr);
    for (const auto& account : user->accounts) owned.emplace(account.bank_id, account.account_id);
  }
  std::set<std::pair<std::string, std::string>> opened;
  for (int i = 1; i <= 3; ++i) {
    const std::string id = "bank" + std::to_string(i);
    const auto accounts = bank::LoadBankData(dir() / ("bank_data-" + id + ".json"));
    ASSERT_TRUE(accounts);
    for (const auto& account : *accounts) {
      EXPECT_EQ(account.balance, (Money{1'000'000, *Currency::Parse("USD")}));
      opened.emplace(id, account.account_id);
    }
  }
  EXPECT_EQ(opened, owned);
}

TEST_F(InitTest, OneBank_GivesEachUserOneAccount) {
  ASSERT_TRUE(WriteNetwork(Options(1, 2), kNow));
  const auto users = security::UserDirectory::Load(dir() / "users.json");
  ASSERT_TRUE(users);
  EXPECT_EQ(users->Find("user2")->accounts, (std::vector<protocol::AccountRef>{{"bank1", "user2"}}));
}

TEST_F(InitTest, Passwords_AreDifferentAndLogTheirUsersIn) {
  ASSERT_TRUE(WriteNetwork(Options(2, 3), kNow));
  const auto users = security::UserDirectory::Load(dir() / "users.json");
  ASSERT_TRUE(users);
  const auto rows = ReadPasswords(dir() / "passwords.csv");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0], (std::pair<std::string, std::string>("username", "password")));
  std::set<std::string> passwords;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_NE(users->Authenticate(rows[i].first, rows[i].second), nullptr) << rows[i].first;
    EXPECT_GE(rows[i].second.size(), 20u);
    passwords.insert(rows[i].second);
  }
  EXPECT_EQ(passwords.size(), 3u);
  EXPECT_EQ(security::ReadPasswordCost(users->users()[0].password_hash).value(), security::kDefaultPasswordCost);
}

TEST_F(InitTest, ManyUsers_AreStillArgon2id) {
  ASSERT_TRUE(WriteNetwork(Options(2, 300), kNow));
  const auto users = security::UserDirectory::Load(dir() / "users.json");
  ASSERT_TRUE(users) << users.error().message;
  EXPECT_EQ(users->users().size(), 300u);
  const auto rows = ReadPasswords(dir() / "passwords.csv");
  EXPECT_NE(users->Authenticate(rows[300].first, rows[300].second), nullptr);
}

TEST_F(InitTest, DirectoryWithAnyContent_IsRefusedNamingItAndLeftAlone) {
  fs::create_directory(dir());
  std::ofstream(dir() / "gateway.toml") << "mine";
  const Status status = WriteNetwork(Options(1, 1), kNow);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(status.error().message, HasSubstr("gateway.toml"));
  EXPECT_EQ(Slurp(dir() / "gateway.toml"), "mine");
  EXPECT_EQ(std::distance(fs::directory_iterator(dir()), {}), 1);
}

TEST_F(InitTest, SecondRun_IsRefusedAndChangesNothing) {
  ASSERT_TRUE(WriteNetwork(Options(1, 1), kNow));
  const std::string before = Slurp(dir() / "passwords.csv");
  EXPECT_EQ(WriteNetwork(Options(1, 1), kNow).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(Slurp(dir() / "passwords.csv"), before);
}

TEST_F(InitTest, EmptyDirectoryThatExists_IsFilledInPlace) {
  fs::create_directory(dir());
  struct stat before{}, after{};
  ASSERT_EQ(::stat(dir().c_str(), &before), 0);
  ASSERT_TRUE(WriteNetwork(Options(1, 1), kNow));
  ASSERT_EQ(::stat(dir().c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_TRUE(fs::exists(dir() / "gateway.toml"));
  for (const auto& entry : fs::directory_iterator(dir()))
    EXPECT_FALSE(entry.path().filename().string().starts_with('.'));
}

TEST_F(InitTest, Failure_LeavesNothingBehind) {
  std::ofstream(directory_ / "file") << "";
  EXPECT_FALSE(WriteNetwork({.dir = directory_ / "file/net"}, kNow));
  EXPECT_FALSE(WriteNetwork({.dir = directory_ / "file"}, kNow));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_.path()), {}), 1);
}

TEST_F(InitTest, SuccessInNewDirectory_LeavesNothingBesideIt) {
  ASSERT_TRUE(WriteNetwork({.dir = dir().string() + "/", .banks = 1, .users = 1}, kNow));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_.path()), {}), 1);
  EXPECT_TRUE(fs::exists(dir() / "client.toml"));
}

TEST_F(InitTest, NumbersOutOfRange_AreRefusedAndNothingIsWritten) {
  for (const NetworkOptions& options :
       {Options(0, 1), Options(65, 1), Options(1, 0), Options(1, 10'001), NetworkOptions{.dir = dir(), .port_base = 0},
        NetworkOptions{.dir = dir(), .port_base = 65'533},
        NetworkOptions{.dir = dir(), .port_base = 50'052, .metrics_port_base = 50'054}}) {
    const Status status = WriteNetwork(options, kNow);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
  }
  EXPECT_FALSE(fs::exists(dir()));
}

TEST_F(InitTest, EachServer_NamesTheNetworksOperators) {
  ASSERT_TRUE(WriteNetwork(Options(1, 1), kNow));
  const std::vector<std::string> both = {"operator", "operator2"};
  gateway::GatewayConfig gateway;
  ASSERT_TRUE(GatewaySettings(&gateway).Load(dir() / "gateway.toml"));
  EXPECT_EQ(gateway.operators, both);
  bank::BankConfig bank;
  ASSERT_TRUE(BankSettings(&bank).Load(dir() / "bank-bank1.toml"));
  EXPECT_EQ(bank.operators, both);
  for (const std::string& name : both) EXPECT_TRUE(fs::exists(dir() / "certs" / (name + ".crt")));
}

TEST_F(InitTest, EachServer_HasAMetricsPortOfItsOwn) {
  ASSERT_TRUE(WriteNetwork(Options(2, 1), kNow));
  gateway::GatewayConfig gateway;
  ASSERT_TRUE(GatewaySettings(&gateway).Load(dir() / "gateway.toml"));
  EXPECT_EQ(gateway.metrics_listen, "127.0.0.1:50152");
  bank::BankConfig bank;
  ASSERT_TRUE(BankSettings(&bank).Load(dir() / "bank-bank2.toml"));
  EXPECT_EQ(bank.metrics_listen, "127.0.0.1:50154");
}

TEST_F(InitTest, MovedNetwork_StillResolvesItsPaths) {
  ASSERT_TRUE(WriteNetwork(Options(1, 1), kNow));
  fs::rename(dir(), directory_ / "moved");
  gateway::GatewayConfig gateway;
  ASSERT_TRUE(GatewaySettings(&gateway).Load(directory_ / "moved/gateway.toml"));
  EXPECT_TRUE(security::LoadCredentials({gateway.ca_file, gateway.cert_file, gateway.key_file}, Role::kGateway, kNow));
  EXPECT_TRUE(security::UserDirectory::Load(gateway.users_file));
}

}  // namespace
}  // namespace strife::cli
