// What `strife top` shows: how a network is doing, from two readings of its servers' metrics.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "cli/metrics_reading.h"
#include "protocol/types.h"

namespace strife::cli {

// Seconds that half of the calls, and 99 in 100 of them, took at most; interpolated within the buckets of a histogram.
struct Quantiles {
  double median_s = 0;
  double p99_s = 0;
};

// Of what came to the histogram `name` between two readings, with exactly these labels, `phase="prepare"`; nullopt when
// nothing did.
std::optional<Quantiles> QuantilesOf(const MetricsReading& before, const MetricsReading& now, const std::string& name,
                                     const std::string& labels);

struct TopPhase {
  std::string name;
  double per_second = 0;
  std::optional<Quantiles> took;
};

struct TopBank {
  std::string bank_id;
  bool up = false;        // as the gateway sees it
  double per_second = 0;  // messages answered
  std::optional<Quantiles> took;
  double queued = 0;                 // commands that wait at the gateway for the message in flight
  std::optional<double> in_doubt{};  // at the bank, when its own metrics can be read
};

struct TopFigures {
  double completed_per_second = 0;
  double declined_per_second = 0;
  double refused_per_second = 0;
  double in_flight = 0;
  double backlog = 0;  // inputs that wait for the gateway's engine
  double in_doubt = 0;
  double oldest_in_doubt_s = 0;
  double late = 0;
  std::optional<Quantiles> disk;  // of durable commits
  std::vector<TopPhase> phases;
  std::vector<TopBank> banks;
};

// Of the gateway, between two readings so far apart.
TopFigures FiguresBetween(const MetricsReading& before, const MetricsReading& now, Duration apart);

// Everything on the screen at one time.
struct TopView {
  WallTime now;
  std::string network;                                         // where it is, for the title
  std::optional<TopFigures> figures;                           // none until there are two readings of the gateway
  std::vector<std::string> problems;                           // one sentence each
  std::optional<std::vector<protocol::PaymentRecord>> recent;  // newest first; none: nobody may see them
};

// At most `rows` lines of at most `columns` cells; without colours unless `decorate`.
std::vector<std::string> TopLines(const TopView& view, std::size_t columns, std::size_t rows, bool decorate);

}  // namespace strife::cli
