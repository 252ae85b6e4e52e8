// Scenario: which cluster, which load and which faults; read from a TOML file (tests/scenarios).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace strife::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Rates are per mille. "every" is the mean time between two of a kind over the whole cluster; zero means never.
struct Scenario {
  std::string name;
  std::string description;

  // Each seed leaves out each kind of fault half of the time and makes the others weaker by chance, so that all mixes
  // come up and not only the sum of all.
  bool vary = false;

  struct Cluster {
    int banks = 3;
    int gateways = 1;  // on one store; the second takes over when the first does not answer
    int clients = 3;   // a user each
    int outboxes = 0;  // the first so many clients are Strife's own; fewer than all, for second devices
    int accounts_per_bank = 3;
    std::int64_t opening_minor_units = 50'000;  // on each account
  } cluster;

  struct Workload {
    int payments = 60;
    Duration arrive_within = seconds(20);
    std::int64_t largest_minor_units = 5'000;
    unsigned same_bank = 150;       // payer and payee at one bank
    unsigned too_much = 50;         // more than there is
    unsigned unknown_account = 50;  // of payer or payee
    unsigned unknown_bank = 20;     // payee's bank has never registered
    unsigned repeated = 150;        // sent again by a second device of the user, with the same id
    unsigned other_payload = 50;    // the same id for another amount
    unsigned other_user = 50;       // the same id from another user
    unsigned expire = 300;          // of those an outbox gets: given up if not delivered within seconds
  } workload;

  struct Network {
    Duration latency_least = milliseconds(1);
    Duration latency_most = milliseconds(20);
    unsigned lose = 0;
    unsigned duplicate = 0;
    unsigned delay = 0;  // by up to delay_most, so that later messages overtake
    Duration delay_most = seconds(12);
    Duration partition_every{};
    Duration partition_most = seconds(10);  // how long one lasts
    unsigned one_way = 400;                 // of the partitions
  } network;

  struct Storage {
    Duration commit_least = milliseconds(1);
    Duration commit_most = milliseconds(5);
    unsigned slow = 0;  // commits that take up to slow_most
    Duration slow_most = seconds(3);
    unsigned fail = 0;  // commits whose write or fsync fails: the process dies, the batch is there or not
    Duration full_every{};
    Duration full_most = seconds(8);
  } storage;

  struct Processes {
    unsigned crash = 0;                        // at an effect point, see effect_point.h
    Duration restart_least = milliseconds(1);  // from its death to its next start
    Duration restart_most = seconds(3);
    Duration pause_every{};
    Duration pause_most = seconds(12);
    Duration takeover = seconds(2);  // from the moment a gateway is out of reach to the start of the other one
  } processes;

  struct Clocks {
    Duration skew_most{};  // of a process's wall clock when it starts
    Duration jump_every{};
    Duration jump_most{};
  } clocks;

  struct Time {
    Duration faults = seconds(30);   // how long faults happen
    Duration settle = seconds(120);  // how long everything may take to end afterwards
  } time;
};

// `source` names the file in errors. Fails on what is no TOML, on keys that mean nothing and on values out of range,
// naming the key.
Result<Scenario> ParseScenario(std::string_view text, const std::string& source);
// The scenario's name is that of the file, without its ending.
Result<Scenario> ReadScenario(const std::string& path);

// Leaves out or weakens the faults as chance wants it, see Scenario::vary.
void Vary(Scenario& scenario, Random& random);

}  // namespace strife::sim
