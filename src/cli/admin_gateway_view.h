// How what operators list at the gateway is shown.
#pragma once

#include <string>
#include <vector>

#include "cli/output.h"
#include "rpc/admin_api.h"

namespace strife::cli {

Json BanksJson(const rpc::BanksOverview& overview, WallTime now);
std::string BanksText(const rpc::BanksOverview& overview, WallTime now);

Json TransactionsJson(const std::vector<protocol::PaymentRecord>& payments);
std::string TransactionsText(const std::vector<protocol::PaymentRecord>& payments);

Json SessionsJson(const std::vector<SessionRecord>& sessions);
std::string SessionsText(const std::vector<SessionRecord>& sessions);

Json SuspensionJson(const SuspensionRecord& record);
// One sentence.
std::string SuspensionText(const SuspensionRecord& record);

}  // namespace strife::cli
