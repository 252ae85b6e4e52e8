// What the tests of the simulator share.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "sim/cluster.h"

namespace strife::sim::testing {

inline Money Usd(std::int64_t minor_units) { return {minor_units, *Currency::Parse("USD")}; }

// Two banks, and a network and disks that always take the same time.
inline Scenario Deterministic() {
  Scenario scenario;
  scenario.cluster.banks = 2;
  scenario.cluster.clients = 2;
  scenario.network.latency_least = scenario.network.latency_most = milliseconds(1);
  scenario.storage.commit_least = scenario.storage.commit_most = milliseconds(1);
  scenario.time.faults = seconds(10);
  return scenario;
}

// Between the two banks, after they have registered.
inline PlannedPayment Payment(std::uint8_t id = 1) {
  PlannedPayment planned;
  planned.at = seconds(3);
  planned.order = {Uuid{{id}}, UserName(0), {BankName(0), AccountName(0)}, {BankName(1), AccountName(1)}, Usd(100), ""};
  return planned;
}

inline void ExpectSound(const std::vector<Violation>& violations, const std::string& what) {
  for (const Violation& violation : violations) {
    ADD_FAILURE() << what << ": " << violation.what.invariant << ": " << violation.what.sentence;
  }
}

inline bool Found(const std::vector<Violation>& violations, std::string_view invariant) {
  return std::ranges::any_of(violations, [&](const Violation& found) { return found.what.invariant == invariant; });
}

}  // namespace strife::sim::testing
