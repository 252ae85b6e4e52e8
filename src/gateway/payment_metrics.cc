#include "gateway/payment_metrics.h"

#include "protocol/reason.h"

namespace strife::gateway {

using protocol::PaymentRecord;
using protocol::PaymentState;

namespace {

constexpr std::array kEndings = {PaymentState::kCompleted, PaymentState::kAborted, PaymentState::kPartialCommit};

// Why payments end as they do, "none" for no particular reason.
std::span<const std::string_view> Reasons() {
  static const std::vector<std::string_view> reasons = [] {
    std::vector<std::string_view> all = {"none"};
    all.insert(all.end(), protocol::reason::All().begin(), protocol::reason::All().end());
    return all;
  }();
  return reasons;
}

constexpr std::string_view kRefusals[] = {"INVALID_ARGUMENT",
                                          protocol::reason::kForbidden,
                                          protocol::reason::kDuplicate,
                                          protocol::reason::kTransactionIdReused,
                                          protocol::reason::kBankOffline,
                                          protocol::reason::kStorageFull,
                                          "OVERLOADED",
                                          "DRAINING",
                                          "RECONCILIATION_NEEDED"};

std::uint64_t Sum(const server::LabelCounts& counts) {
  std::uint64_t sum = 0;
  counts.Each([&](std::string_view, const Counter& count) { sum += count.value(); });
  return sum;
}

}  // namespace

PaymentMetrics::PaymentMetrics()
    : ended_{server::LabelCounts(Reasons()), server::LabelCounts(Reasons()), server::LabelCounts(Reasons())},
      refused_(kRefusals) {}

void PaymentMetrics::Recovered(std::span<const PaymentRecord> open) {
  for (const PaymentRecord& record : open) {
    open_.Open(record.order.id, record.created_at);
    if (record.state == PaymentState::kPartialCommit) partial_.Open(record.order.id, record.created_at);
  }
}

void PaymentMetrics::Durable(std::span<const PaymentRecord> records, MonotonicTime cycle_began, MonotonicTime now) {
  for (const PaymentRecord& record : records) {
    Count(record);
    Time(record, cycle_began, now);
  }
}

void PaymentMetrics::Count(const PaymentRecord& record) {
  const std::string_view reason = record.reason_code.empty() ? "none" : std::string_view(record.reason_code);
  for (std::size_t i = 0; i < kEndings.size(); ++i) {
    if (record.state == kEndings[i]) ended_[i].Add(reason);
  }
  if (IsFinal(record.state)) {
    open_.Close(record.order.id, record.created_at);
    partial_.Close(record.order.id, record.created_at);
  } else if (record.state == PaymentState::kInitiated) {
    open_.Open(record.order.id, record.created_at);
  } else if (record.state == PaymentState::kPartialCommit) {
    partial_.Open(record.order.id, record.created_at);
  }
}

void PaymentMetrics::Time(const PaymentRecord& record, MonotonicTime cycle_began, MonotonicTime now) {
  if (record.state == PaymentState::kInitiated) {
    recorded_.Add();
    progress_[record.order.id] = {now, std::nullopt};
    return;
  }
  const auto found = progress_.find(record.order.id);
  if (found == progress_.end()) return;
  Progress& progress = found->second;
  if (!progress.decided && (record.state == PaymentState::kCommitting || record.state == PaymentState::kAborted)) {
    prepare_.Add(cycle_began - progress.recorded);
    decision_.Add(now - cycle_began);
    progress.decided = now;
  } else if (progress.decided && record.state == PaymentState::kCompleted) {
    commit_.Add(now - *progress.decided);
  }
  if (IsFinal(record.state)) progress_.erase(found);
}

std::uint64_t PaymentMetrics::completed() const { return Sum(ended_[0]); }
std::uint64_t PaymentMetrics::aborted() const { return Sum(ended_[1]); }

void PaymentMetrics::Collect(MetricWriter& writer, WallTime now) const {
  writer.Count("strife_payments_recorded_total", "Payments taken and put on record.", {}, recorded_);
  for (std::size_t i = 0; i < kEndings.size(); ++i) {
    const std::string_view state = StateName(kEndings[i]);
    ended_[i].Each([&](std::string_view reason, const Counter& count) {
      // Of the reasons for an abort all are there from the beginning, so that the first one shows as an increase.
      if (count.value() == 0 && kEndings[i] != PaymentState::kAborted && reason != "none") return;
      writer.Count("strife_payments_total", "Payments that have come to this state.",
                   {{"state", state}, {"reason", reason}}, count);
    });
  }
  refused_.Each([&](std::string_view reason, const Counter& count) {
    writer.Count("strife_payments_refused_total", "Requests for a payment that were refused without a record.",
                 {{"reason", reason}}, count);
  });
  const auto phase = [&](std::string_view name, const LatencyHistogram& times) {
    writer.Latencies("strife_payment_phase_duration_seconds",
                     "prepare: recorded until all banks have answered; decision: until that is on disk; commit: until "
                     "all banks have confirmed; total: from the request to its answer.",
                     {{"phase", name}}, times);
  };
  phase("prepare", prepare_);
  phase("decision", decision_);
  phase("commit", commit_);
  phase("total", total_);
  writer.Gauge("strife_payments_in_doubt", "Payments without an outcome.", {}, static_cast<double>(open_.count()));
  writer.Gauge("strife_payments_in_doubt_oldest_age_seconds", "Age of the oldest payment without an outcome.", {},
               open_.OldestAge(now));
  writer.Gauge("strife_payments_partial_commit", "Payments decided, but late at a bank.", {},
               static_cast<double>(partial_.count()));
  writer.Gauge("strife_payments_partial_commit_oldest_age_seconds", "Age of the oldest of them.", {},
               partial_.OldestAge(now));
}

}  // namespace strife::gateway
