#include "audit/examine.h"

#include <memory>
#include <utility>

#include "audit/chain_check.h"
#include "audit/decision_check.h"

namespace strife::audit {
namespace {

constexpr std::size_t kStretch = std::size_t{2} << 20;  // some 90 MB
constexpr std::uint64_t kProgressEvery = 4096;

// Hands each row to `take`, and what is said of rows that make no sense to `malformed`, until `take` returns false.
template <typename Row, typename Take, typename Malformed>
Status ForEach(Cursor<Row>& cursor, Take take, Malformed malformed) {
  for (;;) {
    auto row = cursor.Next();
    if (!row && row.error().code == ErrorCode::kMalformed) {
      malformed(row.error().message);
      continue;
    }
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row || !take(**row)) return {};
  }
}

// The next stretch of the store; shorter than kStretch: the last one.
template <typename Row>
Result<std::vector<Decided>> ReadStretch(Cursor<Row>& cursor, Findings& findings) {
  std::vector<Decided> stretch;
  Status read = ForEach(
      cursor,
      [&](const Row& row) {
        stretch.push_back(DecidedOf(row));
        return stretch.size() < kStretch;
      },
      [&](const std::string& why) { findings.Add(0, why); });
  if (!read) return std::unexpected(std::move(read.error()));
  return stretch;
}

template <typename Reader, typename OpenStore>
Result<Report> ExamineStore(Reader& reader, const std::vector<Head>& heads, const ProgressFunction& progress,
                            OpenStore open_store) {
  Report report;
  Findings findings;
  // The store is read between two looks at the log: what the first one sees is in the store, and what is in the store
  // the second one sees.
  std::uint64_t settled = 0;
  {
    auto log = reader.Audit();
    if (!log) return std::unexpected(std::move(log.error()));
    if (const auto last = (*log)->Last(); last && *last) settled = (*last)->sequence;
  }
  auto rows = open_store(reader);
  if (!rows) return std::unexpected(std::move(rows.error()));
  auto log = reader.Audit();
  if (!log) return std::unexpected(std::move(log.error()));
  auto start = (*log)->Start();
  if (!start) return std::unexpected(std::move(start.error()));
  report.start = *start;

  ChainCheck chain(*start, findings);
  HeadCheck head_check(*start, heads, findings);
  DecisionCheck decisions(*start, settled, findings);
  for (bool first = true, last = false; !last; first = false) {
    auto stretch = ReadStretch(**rows, findings);
    if (!stretch) return std::unexpected(std::move(stretch.error()));
    last = stretch->size() < kStretch;
    decisions.BeginStretch(*std::move(stretch), last);
    auto entries = (*log)->Entries();
    if (!entries) return std::unexpected(std::move(entries.error()));
    Status read = ForEach(
        **entries,
        [&](const AuditEntry& entry) {
          if (first) {
            chain.Take(entry);
            head_check.Take(entry);
            if (++report.records % kProgressEvery == 0 && progress) progress(report.records);
          }
          decisions.Take(entry);
          return true;
        },
        [&](const std::string& why) {
          if (first) chain.TakeMalformed(why);
        });
    if (!read) return std::unexpected(std::move(read.error()));
    decisions.EndStretch();
  }
  chain.Conclude();
  head_check.Conclude(chain.last_sequence());
  decisions.Conclude();
  report.last_sequence = chain.last_sequence();
  report.last_hash = chain.last_hash();
  report.decided = decisions.decided();
  report.unrecorded = decisions.unrecorded();
  report.finding_count = findings.count();
  report.findings = std::move(findings).Sorted();
  return report;
}

}  // namespace

Result<Report> Examine(GatewayReader& reader, const std::vector<Head>& heads, const ProgressFunction& progress) {
  return ExamineStore(reader, heads, progress, [](GatewayReader& store) { return store.ScanPayments(); });
}

Result<Report> Examine(BankReader& reader, const std::vector<Head>& heads, const ProgressFunction& progress) {
  return ExamineStore(reader, heads, progress,
                      [](BankReader& store) -> Result<std::unique_ptr<Cursor<protocol::BankTransactionRecord>>> {
                        auto snapshot = store.Snapshot();
                        if (!snapshot) return std::unexpected(std::move(snapshot.error()));
                        return (*snapshot)->Transactions();
                      });
}

}  // namespace strife::audit
