#include "cli/trace_view.h"

#include <array>

#include "cli/duration.h"
#include "cli/payment_view.h"
#include "cli/table.h"

namespace strife::cli {
namespace {

using protocol::PaymentRecord;
using rpc::BankTrace;

Json OutcomeJson(const protocol::TraceStep& step) {
  if (!step.outcome) return nullptr;
  constexpr std::array kNames = {"YES",       "NO",         "DONE",  "STALE",
                                 "VIOLATION", "OVERLOADED", "MIXED", "MIXED_ACKNOWLEDGED"};
  return kNames.at(static_cast<std::size_t>(*step.outcome) - 1);
}

Json LineJson(const TraceSources& sources, const TraceLine& line, WallTime first) {
  const auto& step = line.step;
  Json bank = nullptr;
  if (sources.trace && step.leg != 0) {
    const auto& order = sources.trace->payment.order;
    bank = step.leg == 1 ? order.from.bank_id : order.to.bank_id;
  }
  return {{"at", FormatTime(line.at)},
          {"offset_us", (line.at - first).count()},
          {"duration_us", line.until ? Json((*line.until - line.at).count()) : Json(nullptr)},
          {"party", line.party},
          {"event", line.event},
          {"bank_id", bank},
          {"outcome", OutcomeJson(step)},
          {"count", step.count},
          {"gateway_epoch", step.epoch == 0 ? Json(nullptr) : Json(step.epoch)},
          {"what", line.what}};
}

std::string Heading(const TraceSources& sources) {
  const PaymentRecord* payment = sources.trace ? &sources.trace->payment : nullptr;
  const protocol::PaymentOrder& order = payment != nullptr ? payment->order : sources.queued->order;
  std::vector<std::pair<std::string, std::string>> fields = {
      {"payment", order.id.ToString()},
      {"state",
       payment != nullptr ? StateText(payment->state) : std::string(protocol::StateName(sources.queued->state))},
      {"amount", AmountText(order.amount)},
      {"from", AccountText(order.from)},
      {"to", AccountText(order.to)}};
  if (!order.payer.empty()) fields.emplace_back("payer", order.payer);
  if (sources.trace && sources.trace->trace.context) {
    fields.emplace_back("trace id", protocol::TraceIdText(*sources.trace->trace.context));
  }
  return RenderFields(fields);
}

}  // namespace

std::string TraceText(const TraceSources& sources) {
  const auto lines = TraceLines(sources);
  Table table({{"AFTER", Align::kRight}, {"TOOK", Align::kRight}, {"WHO"}, {"WHAT"}});
  for (const TraceLine& line : lines) {
    table.AddRow({"+" + SpanText(line.at - lines.front().at), line.until ? SpanText(*line.until - line.at) : "",
                  line.party, line.what});
  }
  std::string text = Explanation(sources) + "\n\n" + Heading(sources);
  if (!lines.empty()) text += "\n" + FormatTime(lines.front().at) + "\n" + table.RenderForOutput();
  if (!sources.trace) return text;
  for (const BankTrace& bank : sources.trace->banks) {
    if (!bank.problem.empty()) text += "! " + bank.bank_id + " tells nothing: " + bank.problem + "\n";
    if (bank.problem.empty() && !bank.state) text += bank.bank_id + " has no record of it.\n";
  }
  return text;
}

Json TraceJson(const TraceSources& sources) {
  const auto lines = TraceLines(sources);
  Json steps = Json::array();
  for (const TraceLine& line : lines) steps.push_back(LineJson(sources, line, lines.front().at));
  Json banks = Json::array();
  Json payment = nullptr, context = nullptr;
  if (sources.trace) {
    payment = PaymentJson(sources.trace->payment);
    if (sources.trace->trace.context) context = protocol::TraceIdText(*sources.trace->trace.context);
    for (const BankTrace& bank : sources.trace->banks) {
      banks.push_back({{"bank_id", bank.bank_id},
                       {"reached", bank.problem.empty()},
                       {"problem", bank.problem},
                       {"state", bank.state ? Json(protocol::StateName(*bank.state)) : Json(nullptr)},
                       {"reason_code", bank.reason_code}});
    }
  }
  const auto& order = sources.trace ? sources.trace->payment.order : sources.queued->order;
  return {{"transaction_id", order.id.ToString()},
          {"explanation", Explanation(sources)},
          {"payer", order.payer},
          {"trace_id", context},
          {"payment", payment},
          {"steps", steps},
          {"banks", banks}};
}

}  // namespace strife::cli
