#include "cli/process_usage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>

namespace strife::cli {
namespace {

TEST(ProcessUsageTest, Own_GrowsWithWorkAndMemory) {
  const auto before = ReadUsage(::getpid());
  ASSERT_TRUE(before);
  std::vector<char> memory(64 << 20, 'x');
  volatile std::uint64_t sink = 0;
  std::optional<ProcessUsage> after;
  do {
    for (int i = 0; i < 1'000'000; ++i) sink = sink + 1;
    after = ReadUsage(::getpid());
  } while (after && after->cpu <= before->cpu);
  ASSERT_TRUE(after);
  EXPECT_GE(after->resident_bytes, before->resident_bytes + memory.size() / 2);
  EXPECT_GE(after->peak_bytes, after->resident_bytes);
}

TEST(ProcessUsageTest, NoProcess_HasNoUsage) { EXPECT_FALSE(ReadUsage(std::numeric_limits<int>::max())); }

TEST(UsageMeterTest, WhatIsGone_IsLeftOut) {
  UsageMeter meter;
  meter.Add("gone", std::numeric_limits<int>::max());
  meter.Add("self", ::getpid());
  meter.Begin();
  meter.End();
  ASSERT_EQ(meter.rows().size(), 1u);
  EXPECT_EQ(meter.rows().front().name, "self");
  EXPECT_GE(meter.rows().front().cpu, Duration(0));
  EXPECT_GT(meter.rows().front().resident_bytes, 0u);
}

}  // namespace
}  // namespace strife::cli
