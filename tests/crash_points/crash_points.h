// Crash-point enumeration: a few payments with nothing going wrong but crashes, and those at every point.
//
// A run is fixed by the effect points (sim/effect_point.h) at which the process that passes one dies there; they are
// numbered through the whole cluster in the order in which they are passed. A run without crashes passes N of them, so
// there are N runs with one crash; each of these passes so and so many more, which gives the runs with two; and so on.
// The second crash falls on any process, the one that has died before included, and the points after a crash are those
// of the recovery: nothing is left out up to the number of crashes asked for.
//
// In some cases the first thing to happen is not a crash: the gateway is stopped at that point, another one takes over,
// and later the first one goes on where it was, not knowing that it has been replaced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/cluster.h"

namespace strife::crash_points {

struct Case {
  std::string name;
  std::int64_t opening_minor_units;
  std::vector<sim::PlannedPayment> payments;  // each from a client of its own
  std::vector<protocol::PaymentState> ends;   // theirs, when nothing crashes
  bool gateway_stops = false;                 // at the first point
};

// One payment between banks; within a bank; declined; two that share both accounts, in one direction with money for one
// only, and in opposite directions; a payment between banks and two of them with a gateway that stops.
std::vector<Case> Cases();

// How soon a process that has died is back: before anybody has missed it, and after all time limits have passed.
std::vector<Duration> Restarts();

struct Found {
  std::vector<std::uint64_t> crashes;  // the points of the run
  sim::Violation violation;
};

struct Enumeration {
  std::vector<std::uint64_t> runs;  // by number of crashes, from 0
  std::vector<Found> found;         // what is wrong, of the first run in which something is
};

// Every run with up to `most_crashes`; ends at the first one in which something is wrong. A process that has died is
// back after `restart`.
Enumeration Enumerate(const Case& of, Duration restart, std::size_t most_crashes);

// What clients were told in the run with these crashes.
std::map<Uuid, protocol::PaymentState> Outcomes(const Case& of, Duration restart,
                                                const std::vector<std::uint64_t>& crashes);

// The run told for people: which processes died where, and the story of the payment.
std::string Tell(const Case& of, Duration restart, const Found& found);

}  // namespace strife::crash_points
