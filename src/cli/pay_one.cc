#include "cli/pay_one.h"

#include "base/text.h"
#include "cli/duration.h"
#include "cli/interrupt.h"
#include "cli/payment_view.h"
#include "cli/queue_view.h"
#include "client/pay.h"
#include "client/session_keeper.h"

namespace strife::cli {
namespace {

Result<protocol::AccountRef> PayerAccount(const std::string& from, const client::Session& session) {
  if (from.find('/') != std::string::npos) return ParseAccount(from);
  for (const auto& account : session.accounts) {
    if (account.bank_id == from) return account;
  }
  std::string banks;
  for (const auto& account : session.accounts) banks += (banks.empty() ? "" : ", ") + account.bank_id;
  return Fail(ErrorCode::kPermissionDenied, session.username + " has no account at the bank \"" + Sanitize(from, 40) +
                                                "\"; there are accounts at " + (banks.empty() ? "no bank" : banks));
}

// Prints each kind of outcome and says how the command ends.
class Reporter {
 public:
  explicit Reporter(OutputFormat output) : output_(output) {}

  int operator()(const client::Ended& ended) const {
    PrintPayment(ended.payment, ended.duplicate);
    const protocol::PaymentRecord& payment = ended.payment;
    if (ended.duplicate) {
      PrintError("payment " + payment.order.id.ToString() +
                 " had been made before; this is what became of it, and nothing was paid again");
    } else if (payment.state == protocol::PaymentState::kAborted) {
      PrintError("the payment was declined and no money has moved: " + payment.reason_code + " " + payment.message);
    }
    return ExitFor(payment.state);
  }

  int operator()(const client::OnItsWay& way) const {
    PrintPayment(way.payment, false);
    PrintError("the payment has not ended yet and will by itself; ask with strife payment --wait " +
               way.payment.order.id.ToString());
    return kExitUnknownOutcome;
  }

  int operator()(const client::Queued& queued) const {
    PrintItem(queued.item, queued.why);
    PrintError(
        "the payment is queued and not sent yet: " + queued.why +
        "; it is sent by an open strife shell, strife queue flush or the next strife pay once the gateway is back");
    return kExitUnknownOutcome;
  }

  int operator()(const client::UnknownOutcome& unknown) const {
    const std::string id = unknown.item.order.id.ToString();
    PrintItem(unknown.item, unknown.why);
    PrintError(
        "the outcome of payment " + id + " is not known: " + unknown.why +
        "; it stays queued and is asked for with the same id, which never pays twice, by an open strife shell, strife "
        "queue flush or the next strife pay");
    return kExitUnknownOutcome;
  }

  int operator()(const client::Refused& refused) const {
    if (output_ == OutputFormat::kJson) {
      PrintJson({{"transaction_id", refused.order.id.ToString()},
                 {"success", false},
                 {"state", "REFUSED"},
                 {"reason_code", refused.reason_code},
                 {"field", refused.field},
                 {"message", refused.message}});
    }
    const std::string reason = refused.reason_code.empty() ? "" : refused.reason_code + " ";
    PrintError("the payment was refused and no money has moved: " + reason + refused.message);
    return kExitFailed;
  }

 private:
  void PrintPayment(const protocol::PaymentRecord& payment, bool duplicate) const {
    if (output_ == OutputFormat::kTable) return PrintText(PaymentText(payment));
    Json json = PaymentJson(payment);
    json.update({{"success", payment.state == protocol::PaymentState::kCompleted}, {"duplicate", duplicate}});
    PrintJson(json);
  }

  void PrintItem(OutboxItem item, const std::string& why) const {
    if (output_ == OutputFormat::kTable) return PrintText(QueueItemText(item));  // why is told as an error
    if (item.message.empty()) item.message = why;
    Json json = QueueItemJson(item);
    json.update({{"success", false}});
    PrintJson(json);
  }

  const OutputFormat output_;
};

}  // namespace

int PayOne(const client::ClientConfig& config, protocol::PaymentOrder order, const std::string& from,
           std::optional<Duration> expires_after, OutputFormat output,
           const std::function<bool(const std::string& question)>& confirm) {
  auto session = client::StoredSession(config);
  if (!session) return Report(session.error());
  auto account = PayerAccount(from, *session);
  if (!account) return Report(account.error());
  order.from = *account;
  order.payer = session->username;
  if (confirm && !confirm("Pay " + AmountText(order.amount) + " from " + AccountText(order.from) + " to " +
                          AccountText(order.to) + "?")) {
    PrintError("nothing was paid");
    return kExitFailed;
  }
  const Interrupt interrupt;
  auto queue = client::Queue::Open(config.data_dir);
  if (!queue) return Report(queue.error());
  std::optional<WallTime> expires_at;
  if (expires_after) expires_at = WallNow() + *expires_after;
  auto outcome = client::PayDurably(config, **queue, order, expires_at, interrupt.token());
  if (!outcome) return Report(outcome.error());
  const int exit = std::visit(Reporter(output), *outcome);
  TellOutcomes(**queue, session->username);
  return exit;
}

}  // namespace strife::cli
