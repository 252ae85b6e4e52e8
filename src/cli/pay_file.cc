#include "cli/pay_file.h"

#include <unistd.h>

#include <map>

#include "cli/payment_view.h"
#include "cli/payments_file.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace strife::cli {
namespace {

constexpr std::size_t kBatchPayments = 256;

void TakeOver(const rpc::CallResult<client::PaymentOutcome>& outcome, FilePayment* payment) {
  if (outcome) {
    payment->state = StateText(outcome->payment.state);
    payment->reason_code = outcome->payment.reason_code;
    payment->message = outcome->payment.message;
  } else {
    payment->state = DeliveryName(outcome.error().delivery);
    payment->reason_code = outcome.error().reason_code;
    payment->message = outcome.error().error.message;
  }
}

// Sends what has not ended yet. Stops early when a whole batch could not be delivered: the next would not fare better.
Status Send(client::Client& client, PaymentsFile& file, const std::stop_token& stop) {
  std::vector<FilePayment*> open;
  for (FilePayment& payment : file.payments()) {
    if (!payment.IsFinal()) open.push_back(&payment);
  }
  Progress progress("payments", open.size());
  for (std::size_t begin = 0; begin < open.size(); begin += kBatchPayments) {
    if (stop.stop_requested()) return Fail(ErrorCode::kUnavailable, "interrupted");
    std::size_t end = std::min(begin + kBatchPayments, open.size());
    std::vector<protocol::PaymentOrder> orders;
    for (std::size_t i = begin; i < end; ++i) orders.push_back(open[i]->order);
    auto outcomes = client.PayAll(orders);
    bool delivered = false;
    for (std::size_t i = begin; i < end; ++i) {
      const auto& outcome = outcomes[i - begin];
      delivered |= outcome || outcome.error().delivery == rpc::Delivery::kRefused;
      TakeOver(outcome, open[i]);
      if (auto recorded = file.Record(*open[i]); !recorded) return recorded;
    }
    if (auto synced = file.Sync(); !synced) return synced;
    if (!delivered) return std::unexpected(outcomes.front().error().error);
    progress.Update(end);
  }
  return {};
}

struct Summary {
  std::size_t completed = 0;
  std::size_t aborted = 0;
  std::size_t refused = 0;
  std::size_t not_sent = 0;
  std::size_t unknown = 0;
  std::map<std::string, std::size_t> reasons;  // of those not completed
  std::map<Currency, std::int64_t> paid;
};

Summary Summarise(const std::vector<FilePayment>& payments) {
  Summary summary;
  for (const FilePayment& payment : payments) {
    if (payment.state == "COMPLETED") {
      ++summary.completed;
      std::int64_t& paid = summary.paid[payment.order.amount.currency];
      paid = CheckedAdd(paid, payment.order.amount.minor_units).value_or(paid);
      continue;
    }
    bool not_sent = payment.state == "NOT_SENT" || payment.state == "PLANNED";
    ++(payment.state == "ABORTED"   ? summary.aborted
       : payment.state == "REFUSED" ? summary.refused
       : not_sent                   ? summary.not_sent
                                    : summary.unknown);
    if (!payment.reason_code.empty()) ++summary.reasons[payment.reason_code];
  }
  return summary;
}

void PrintSummary(const Summary& summary, const PaymentsFile& file, std::size_t already, OutputFormat output) {
  Json paid = Json::array();
  std::string paid_text;
  for (const auto& [currency, minor_units] : summary.paid) {
    Money total{minor_units, currency};
    paid.push_back(AmountJson(total));
    paid_text += (paid_text.empty() ? "" : ", ") + AmountText(total);
  }
  if (output == OutputFormat::kJson) {
    Json reasons = Json::object();
    for (const auto& [reason, count] : summary.reasons) reasons[reason] = count;
    return PrintJson({{"completed", summary.completed},
                      {"ended_before", already},
                      {"aborted", summary.aborted},
                      {"refused", summary.refused},
                      {"not_sent", summary.not_sent},
                      {"unknown", summary.unknown},
                      {"reasons", reasons},
                      {"paid", paid},
                      {"result_file", file.result_file().string()}});
  }
  auto count = [](std::size_t number) { return number == 0 ? "" : std::to_string(number); };
  std::string reasons;
  for (const auto& [reason, number] : summary.reasons) {
    reasons += (reasons.empty() ? "" : ", ") + std::to_string(number) + " × " + reason;
  }
  PrintText(RenderFields({{"completed", std::to_string(summary.completed)},
                          {"aborted", count(summary.aborted)},
                          {"refused", count(summary.refused)},
                          {"not sent", count(summary.not_sent)},
                          {"not known", count(summary.unknown)},
                          {"reasons", reasons},
                          {"ended in an earlier run", count(already)},
                          {"paid", paid_text},
                          {"results", file.result_file().string()}}));
}

}  // namespace

int PayFile(client::Client& client, const std::filesystem::path& path, OutputFormat output,
            const std::function<bool(const std::string& question)>& confirm, const std::stop_token& stop) {
  auto session = client.CurrentSession();
  if (!session) return Report(session.error());
  std::vector<std::string> errors;
  auto file = PaymentsFile::Open(path, session->accounts, &errors);
  for (const std::string& error : errors) PrintError(path.string() + " " + error);
  if (!file) return Report(file.error());
  std::size_t already = 0;
  for (const FilePayment& payment : file->payments()) already += payment.IsFinal() ? 1 : 0;

  const std::size_t open = file->payments().size() - already;
  if (confirm && open > 0 && !confirm("Pay the " + std::to_string(open) + " open payments of " + path.string() + "?")) {
    PrintError("nothing was paid");
    return kExitFailed;
  }
  auto sent = Send(client, *file, stop);
  auto finished = file->Finish();
  Summary summary = Summarise(file->payments());
  PrintSummary(summary, *file, already, output);
  if (!finished) return Report(finished.error());
  bool all = summary.completed == file->payments().size();
  if (!sent) PrintError(sent.error().message + "; run the same command again to go on, it never pays a line twice");
  if (summary.unknown > 0) return kExitUnknownOutcome;
  return all ? kExitDone : kExitFailed;
}

}  // namespace strife::cli
