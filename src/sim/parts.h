// Parts: what the processes of a cluster share.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/auditor.h"
#include "sim/checkers.h"
#include "sim/effect_point.h"
#include "sim/network.h"
#include "sim/scenario.h"
#include "sim/world.h"

namespace strife::sim {

class BankProcess;
class GatewayProcess;

// What happened to processes.
struct ProcessCounts {
  std::uint64_t crashes = 0;
  std::uint64_t starts = 0;
  std::uint64_t pauses = 0;
  std::uint64_t fenced = 0;  // gateways that found they had been replaced
  std::uint64_t effect_points = 0;
};

struct Parts {
  World& world;
  Network& network;
  Checkers& checkers;
  Auditor& auditor;
  Scenario scenario;  // with its faults as this seed has them
  Fates fates;
  ProcessCounts counts;
  std::vector<GatewayProcess*> gateways;
  std::vector<BankProcess*> banks;
};

}  // namespace strife::sim
