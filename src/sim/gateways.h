// Which gateway a message goes to.
#pragma once

#include "sim/gateway_process.h"

namespace strife::sim {

// One of those that run, by chance: who is in charge is not known to the others. When none runs, the first, which the
// message will not reach.
inline GatewayProcess* PickGateway(Parts& parts) {
  std::size_t running = 0;
  GatewayProcess* picked = parts.gateways.front();
  for (GatewayProcess* gateway : parts.gateways) {
    if (!gateway->up()) continue;
    ++running;
    if (running == 1 || parts.world.random().Draw(running) == 0) picked = gateway;
  }
  return picked;
}

}  // namespace strife::sim
