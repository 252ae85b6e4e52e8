#include "observability/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <thread>
#include <vector>

#include "observability/metrics_endpoint.h"
#include "observability/metrics_text.h"

namespace strife {
namespace {

using std::chrono::microseconds;
using testing::HasSubstr;
using testing::Not;

std::string Text(MetricCollector collector) {
  return prometheus::TextSerializer().prometheus::Serializer::Serialize(MetricFamilies(std::move(collector)).Collect());
}

TEST(Metrics, Histogram_CountsEachValueInTheFirstBucketThatHoldsIt) {
  LatencyHistogram latencies;
  latencies.Add(microseconds(100));      // on the bound: counts below it, as Prometheus' le does
  latencies.Add(microseconds(101));      // just above
  latencies.Add(microseconds(-5));       // the clock was set back
  latencies.Add(std::chrono::hours(1));  // longer than all bounds
  const std::string text = Text([&](MetricWriter& writer) { writer.Latencies("x_seconds", "X.", {}, latencies); });
  EXPECT_THAT(text, HasSubstr("x_seconds_bucket{le=\"0.0001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("x_seconds_bucket{le=\"0.0002\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("x_seconds_bucket{le=\"10\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("x_seconds_bucket{le=\"+Inf\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("x_seconds_count 4\n"));
  EXPECT_THAT(text, HasSubstr("x_seconds_sum 3600.000201\n"));
}

TEST(Metrics, OneName_IsOneFamilyHoweverItsValuesCome) {
  const std::string text = Text([](MetricWriter& writer) {
    writer.Gauge("a", "A.", {{"bank", "b1"}}, 1);
    writer.Count("c_total", "C.", {}, 7);
    writer.Gauge("a", "A.", {{"bank", "b2"}}, 0);
  });
  EXPECT_THAT(text, HasSubstr("# TYPE a gauge\na{bank=\"b1\"} 1\na{bank=\"b2\"} 0\n"));
  EXPECT_EQ(text.find("# HELP a "), text.rfind("# HELP a "));
  EXPECT_THAT(text, HasSubstr("# TYPE c_total counter\nc_total 7\n"));
}

TEST(Metrics, LabelValue_CannotEndItself) {
  const std::string text = Text([](MetricWriter& writer) { writer.Gauge("a", "A.", {{"l", "x\"} 1\nforged 2"}}, 1); });
  EXPECT_THAT(text, Not(HasSubstr("\nforged 2")));
}

TEST(Metrics, Counter_LosesNothingWhenManyCount) {
  Counter counter;
  SizeHistogram sizes;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 10'000; ++k) counter.Add(), sizes.Add(3);
      });
    }
  }
  EXPECT_EQ(counter.value(), 40'000u);
  EXPECT_EQ(sizes.bucket(2), 40'000u);
  EXPECT_EQ(sizes.sum(), 120'000u);
}

TEST(Metrics, Process_TellsWhatItUses) {
  const std::string text = Text([](MetricWriter& writer) { CollectProcess(writer, "gateway"); });
  EXPECT_THAT(text, HasSubstr("strife_build_info{role=\"gateway\",version=\""));
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
                           "process_start_time_seconds "}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name));
    EXPECT_THAT(text, Not(HasSubstr(std::string("\n") + name + "0\n")));
  }
}

TEST(MetricsEndpoint, Address_MustBeLoopbackUnlessItIsAskedFor) {
  for (const char* good : {"127.0.0.1:9100", "127.8.9.1:1", "[::1]:65535"}) {
    EXPECT_TRUE(CheckMetricsAddress(good, false)) << good;
  }
  for (const char* open : {"0.0.0.0:9100", "10.0.0.1:9100", "[::]:9100", "192.168.1.1:9100"}) {
    const Status refused = CheckMetricsAddress(open, false);
    ASSERT_FALSE(refused) << open;
    EXPECT_THAT(refused.error().message, HasSubstr("metrics_exposure"));
    EXPECT_TRUE(CheckMetricsAddress(open, true)) << open;
  }
  for (const char* bad : {"9100", ":9100", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "127.0.0.1:1x",
                          "localhost:9100", "127.0.0.1:9100,0.0.0.0:9101"}) {
    EXPECT_FALSE(CheckMetricsAddress(bad, true)) << bad;
  }
}

}  // namespace
}  // namespace strife
