// Workload: what users want to pay, made up from chance before a run begins.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "protocol/types.h"
#include "sim/scenario.h"

namespace strife::sim {

// A user enters a payment at a client.
struct PlannedPayment {
  Duration at{};
  std::size_t client = 0;  // from 0
  protocol::PaymentOrder order;
  bool must_abort = false;                  // no bank can carry it out
  std::optional<Duration> expires_after{};  // being entered, in an outbox
};

inline constexpr std::string_view kUnknownBank = "nowhere";  // no process has this name

std::string BankName(std::size_t bank);        // from 0
std::string AccountName(std::size_t account);  // from 0
std::string UserName(std::size_t client);      // from 0

std::vector<PlannedPayment> MakeWorkload(const Scenario& scenario, Random& random);

}  // namespace strife::sim
