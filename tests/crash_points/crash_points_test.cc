// STRIFE_CRASHES=3 runs every case with up to three crashes, which takes some minutes.
#include "crash_points/crash_points.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace strife::crash_points {
namespace {

// What the enumeration must at least have run, by number of crashes from 1, or points have got lost: with processes
// that are back at once, and late.
struct Least {
  std::string_view of;
  std::vector<std::uint64_t> back_at_once;
  std::vector<std::uint64_t> back_late;
};

const Least kLeast[] = {
    {"between banks", {48, 1400, 34000}, {48, 1750}},
    {"within a bank", {38, 850}, {38, 1050}},
    {"declined", {41, 950}, {41, 1150}},
    {"two, money for one", {53, 1900}, {53, 2550}},
    {"gateway stops", {32, 750}, {32, 750}},
    {"gateway stops, two", {35, 1150}, {35, 1150}},
    {"two, opposite", {84, 4000}, {84, 4900}},
};

std::size_t MostCrashes(const std::vector<std::uint64_t>& least) {
  const char* asked = std::getenv("STRIFE_CRASHES");
  return asked != nullptr ? std::max<std::size_t>(std::stoul(asked), least.size()) : least.size();
}

// Runs all there are, prints how many, and says what is wrong. The number of all runs.
std::uint64_t RunAll(const Case& of, Duration restart, const std::vector<std::uint64_t>& least) {
  const Enumeration enumeration = Enumerate(of, restart, MostCrashes(least));
  std::printf("%-20s back after %4ld ms, runs by crashes:", of.name.c_str(), restart / std::chrono::milliseconds(1));
  std::uint64_t all = 0;
  for (const std::uint64_t runs : enumeration.runs) {
    std::printf(" %lu", runs);
    all += runs;
  }
  std::printf("\n");
  if (!enumeration.found.empty()) {
    ADD_FAILURE() << Tell(of, restart, enumeration.found.front());
    return all;
  }
  for (std::size_t crashes = 1; crashes <= least.size(); ++crashes) {
    EXPECT_GE(enumeration.runs[crashes], least[crashes - 1]) << of.name << " with " << crashes << " crashes";
  }
  return all;
}

TEST(CrashPoints, EveryProcessDyingAtEveryPointAloneAndInPairs_EveryPaymentEndsAndTheBooksAreRight) {
  std::uint64_t all = 0;
  for (const Case& of : Cases()) {
    const auto least = std::ranges::find(kLeast, of.name, &Least::of);
    ASSERT_NE(least, std::end(kLeast)) << of.name;
    all += RunAll(of, Restarts().front(), least->back_at_once);
    all += RunAll(of, Restarts().back(), least->back_late);
  }
  std::printf("%lu runs\n", all);
}

TEST(CrashPoints, NothingDies_ThePaymentsEndAsTheCasesMean) {
  for (const Case& of : Cases()) {
    const auto outcomes = Outcomes(of, Restarts().front(), {});
    for (std::size_t n = 0; n < of.payments.size(); ++n) {
      EXPECT_EQ(outcomes.at(of.payments[n].order.id), of.ends[n]) << of.name << " " << n;
    }
  }
}

}  // namespace
}  // namespace strife::crash_points
