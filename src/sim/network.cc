#include "sim/network.h"

#include <algorithm>
#include <utility>

namespace strife::sim {

SendResult Network::Send(std::size_t from, std::size_t to, std::function<void()> arrive) {
  ++counts_.sent;
  if (IsCut(from, to)) {
    ++counts_.cut_off;
    return SendResult::kCutOff;
  }
  Random& random = world_.random();
  if (random.Chance(faults_.lose)) {
    ++counts_.lost;
    return SendResult::kLost;
  }
  if (random.Chance(faults_.duplicate)) {
    ++counts_.duplicated;
    Deliver(arrive);
  }
  Deliver(std::move(arrive));
  return SendResult::kOnItsWay;
}

void Network::Deliver(std::function<void()> arrive) {
  Random& random = world_.random();
  Duration delay = random.Between(faults_.latency_least, faults_.latency_most);
  if (random.Chance(faults_.delay)) {
    ++counts_.delayed;
    delay += random.Between(Duration(0), faults_.delay_most);
  }
  world_.After(delay, std::move(arrive));
}

void Network::Heal(std::size_t from, std::size_t to) {
  int& cuts = cuts_[from * processes_ + to];
  cuts = std::max(0, cuts - 1);
}

void Network::StopFaults() {
  faults_.lose = faults_.duplicate = faults_.delay = 0;
  std::ranges::fill(cuts_, 0);
}

}  // namespace strife::sim
