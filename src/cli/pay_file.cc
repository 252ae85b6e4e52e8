#include "cli/pay_file.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <span>

#include "cli/open_client.h"
#include "cli/payment_view.h"
#include "cli/payments_file.h"
#include "cli/progress.h"
#include "client/attempts.h"

namespace strife::cli {
namespace {

constexpr std::size_t kBatchPayments = 256;
constexpr auto kFollowInterval = std::chrono::milliseconds(500);

// `had_arrived`: it may have, by an earlier attempt.
void TakeOver(const rpc::CallResult<client::PaymentOutcome>& outcome, bool had_arrived, FilePayment* payment) {
  if (outcome) {
    payment->state = StateText(outcome->payment.state);
    payment->reason_code = outcome->payment.reason_code;
    payment->message = outcome->payment.message;
    return;
  }
  const rpc::CallError error = had_arrived ? client::AfterEarlierAttempt(outcome.error()) : outcome.error();
  payment->state = DeliveryName(error.delivery);
  payment->reason_code = error.reason_code;
  payment->message = error.error.message;
}

// One way through the payments of a file.
class FileRun {
 public:
  FileRun(client::Client& client, PaymentsFile& file, const std::stop_token& stop)
      : client_(client), file_(file), stop_(stop) {}

  // Sends what has not ended yet. Stops early when a whole batch could not be delivered: the next would not fare
  // better.
  Status SendAll() {
    std::vector<FilePayment*> open = Those([](const FilePayment& payment) { return !payment.IsFinal(); });
    Progress progress("payments", open.size());
    client_.OnRetry([&progress](const rpc::CallError& error, Duration delay) {
      progress.Clear();
      PrintError(RetrySentence(error, delay));
    });
    Status sent = Send(open, [&progress](std::size_t done) { progress.Update(done); });
    client_.OnRetry({});
    return sent;
  }

  // Asks again for what was sent and has not ended, for as long as one attempt may take.
  Status Follow() {
    const auto give_up = std::chrono::steady_clock::now() + client_.config().timeout;
    for (;;) {
      std::vector<FilePayment*> going =
          Those([](const FilePayment& payment) { return payment.MayHaveArrived() && !payment.IsFinal(); });
      if (going.empty() || std::chrono::steady_clock::now() >= give_up) return {};
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any().wait_for(lock, stop_, kFollowInterval, [] { return false; });
      if (Status sent = Send(going, [](std::size_t) {}); !sent) return sent;
    }
  }

 private:
  std::vector<FilePayment*> Those(const std::function<bool(const FilePayment&)>& wanted) {
    std::vector<FilePayment*> those;
    for (FilePayment& payment : file_.payments()) {
      if (wanted(payment)) those.push_back(&payment);
    }
    return those;
  }

  Status Send(const std::vector<FilePayment*>& payments, const std::function<void(std::size_t done)>& progress) {
    for (std::size_t begin = 0; begin < payments.size(); begin += kBatchPayments) {
      if (stop_.stop_requested()) return Fail(ErrorCode::kUnavailable, "interrupted");
      const std::size_t end = std::min(begin + kBatchPayments, payments.size());
      if (Status sent = SendBatch(std::span(payments).subspan(begin, end - begin)); !sent) return sent;
      progress(end);
    }
    return {};
  }

  Status SendBatch(std::span<FilePayment* const> batch) {
    std::vector<protocol::PaymentOrder> orders;
    std::vector<bool> had_arrived;
    for (FilePayment* payment : batch) {
      orders.push_back(payment->order);
      had_arrived.push_back(payment->MayHaveArrived());
      if (had_arrived.back()) continue;
      payment->state = "UNKNOWN";
      payment->message = "sent, and not answered yet";
      if (auto recorded = file_.Record(*payment); !recorded) return recorded;
    }
    if (auto synced = file_.Sync(); !synced) return synced;
    const auto outcomes = client_.PayAll(orders);
    bool delivered = false;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      delivered |= outcomes[i] || outcomes[i].error().delivery == rpc::Delivery::kRefused;
      TakeOver(outcomes[i], had_arrived[i], batch[i]);
      if (auto recorded = file_.Record(*batch[i]); !recorded) return recorded;
    }
    if (auto synced = file_.Sync(); !synced) return synced;
    if (!delivered) return std::unexpected(outcomes.front().error().error);
    return {};
  }

  client::Client& client_;
  PaymentsFile& file_;
  const std::stop_token& stop_;
};

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
  FileRun run(client, *file, stop);
  auto sent = run.SendAll();
  if (sent) sent = run.Follow();
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
