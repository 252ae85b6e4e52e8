// The screen of `strife top`.
#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>

#include "base/text.h"
#include "cli/duration.h"
#include "cli/payment_view.h"
#include "cli/table.h"
#include "cli/top_figures.h"
#include "cli/trace_story.h"

namespace strife::cli {
namespace {

std::string Number(double value, int decimals = 0) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string Seconds(double seconds) { return SpanText(Duration(static_cast<std::int64_t>(seconds * 1e6))); }

std::pair<std::string, std::string> TookTexts(const std::optional<Quantiles>& took) {
  if (!took) return {"-", "-"};
  return {Seconds(took->median_s), Seconds(took->p99_s)};
}

std::string RatesText(const TopFigures& figures) {
  const auto [median, p99] = TookTexts(figures.disk);
  std::string doubt = Number(figures.in_doubt) + " in doubt";
  if (figures.oldest_in_doubt_s >= 1) doubt += ", oldest " + Seconds(figures.oldest_in_doubt_s);
  return Number(figures.completed_per_second, 1) + "/s completed, " + Number(figures.declined_per_second, 1) +
         "/s declined, " + Number(figures.refused_per_second, 1) + "/s refused\n" + Number(figures.in_flight) +
         " in flight, " + doubt + ", " + Number(figures.late) + " late\n" + Number(figures.backlog) +
         " waiting for the engine; disk " + median + " median, " + p99 + " p99\n";
}

Table PhaseTable(const TopFigures& figures) {
  Table table({{"PHASE"}, {"PER S", Align::kRight}, {"MEDIAN", Align::kRight}, {"P99", Align::kRight}});
  for (const TopPhase& phase : figures.phases) {
    const auto [median, p99] = TookTexts(phase.took);
    table.AddRow({phase.name, Number(phase.per_second, 1), median, p99});
  }
  return table;
}

Table BankTable(const TopFigures& figures) {
  Table table({{"BANK"},
               {"STATE"},
               {"MESSAGES/S", Align::kRight},
               {"MEDIAN", Align::kRight},
               {"P99", Align::kRight},
               {"QUEUED", Align::kRight},
               {"IN DOUBT", Align::kRight}});
  for (const TopBank& bank : figures.banks) {
    const auto [median, p99] = TookTexts(bank.took);
    table.AddRow({bank.bank_id, bank.up ? "up" : "DOWN", Number(bank.per_second, 1), median, p99, Number(bank.queued),
                  bank.in_doubt ? Number(*bank.in_doubt) : "-"});
  }
  return table;
}

Table RecentTable(const std::vector<protocol::PaymentRecord>& recent) {
  Table table({{"RECENT"}, {"PAYMENT", Align::kLeft, 2}, {"FROM"}, {"TO"}, {"AMOUNT", Align::kRight, 1}, {"STATE"}});
  for (const protocol::PaymentRecord& payment : recent) {
    const std::string time = FormatTime(payment.created_at);
    table.AddRow({time.substr(11, 8), payment.order.id.ToString(), AccountText(payment.order.from),
                  AccountText(payment.order.to), AmountText(payment.order.amount), StateText(payment.state)});
  }
  return table;
}

// The first `columns` cells; an escape sequence takes none.
std::string Cut(const std::string& line, std::size_t columns) {
  if (line.find('\033') != std::string::npos || DisplayWidth(line) <= columns) return line;
  std::string cut;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(line[i]) & 0xc0) != 0x80;
    if (begins && DisplayWidth(cut) >= columns) break;
    cut += line[i];
  }
  return cut;
}

void Append(const std::string& text, std::size_t columns, std::vector<std::string>& lines) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(Cut(line, columns));
}

}  // namespace

std::vector<std::string> TopLines(const TopView& view, std::size_t columns, std::size_t rows, bool decorate) {
  std::vector<std::string> lines;
  Append("strife top " + Sanitize(view.network, 200) + "  " + FormatTime(view.now).substr(0, 19) + "Z  q quits",
         columns, lines);
  for (const std::string& problem : view.problems) Append("! " + Sanitize(problem, 400), columns, lines);
  lines.emplace_back();
  if (view.figures) {
    Append(RatesText(*view.figures) + "\n" + PhaseTable(*view.figures).Render(decorate, columns) + "\n" +
               BankTable(*view.figures).Render(decorate, columns),
           columns, lines);
  } else {
    lines.emplace_back("waiting for two readings of the gateway's metrics");
  }
  if (view.recent && !view.recent->empty()) {
    Append("\n" + RecentTable(*view.recent).Render(decorate, columns), columns, lines);
  }
  if (lines.size() > rows) lines.resize(rows);
  return lines;
}

}  // namespace strife::cli
