// What the files of a network from `strife init` say. Text only; init.h writes them.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace strife::cli {

// Two, for what one person must not decide alone. Each server takes calls from both.
inline constexpr std::array kOperators = {"operator", "operator2"};

std::string BankId(int bank);    // "bank1"
std::string UserName(int user);  // "user1"; also the id of the user's accounts

// The banks at which a user has an account: one, or two when there are as many.
std::vector<int> BanksOfUser(int user, int banks);

std::string GatewayToml(int port_base, int metrics_port_base);
std::string BankToml(int bank, int port_base, int metrics_port_base);
std::string ClientToml(int port_base);
std::string OperatorToml(const std::string& name, int banks, int port_base);

// users.json for users 1, 2, … with these hashes.
std::string UsersJson(int banks, const std::vector<std::string>& password_hashes);
// bank_data-<id>.json: an opening balance of 10,000.00 USD for each user with an account there.
std::string BankDataJson(int bank, int banks, int users);
// "username,password" for users 1, 2, …
std::string PasswordsCsv(const std::vector<std::string>& passwords);

}  // namespace strife::cli
