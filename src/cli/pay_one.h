// Pays one payment.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "cli/output.h"
#include "client/config.h"
#include "protocol/types.h"

namespace strife::cli {

// --from is a bank where the payer has an account, or BANK/ACCOUNT for the gateway to judge. Queues and delivers the
// payment, prints how it stands, returns the exit status.
// `confirm`, if set, is asked first.
int PayOne(const client::ClientConfig& config, protocol::PaymentOrder order, const std::string& from,
           std::optional<Duration> expires_after, OutputFormat output,
           const std::function<bool(const std::string& question)>& confirm);

}  // namespace strife::cli
