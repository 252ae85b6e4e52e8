// Reading the rows of a payments file.
#include <algorithm>
#include <map>
#include <optional>
#include <unordered_set>

#include "base/limits.h"
#include "base/text.h"
#include "cli/csv.h"
#include "cli/payment_view.h"
#include "cli/payments_file.h"
#include "cli/settings.h"

namespace strife::cli {
namespace {

const std::vector<std::string> kColumns = {"to",     "to_bank",  "to_account", "from_bank", "from",
                                           "amount", "currency", "memo",       "id"};

std::string_view Trim(std::string_view text) {
  std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

class RowReader {
 public:
  explicit RowReader(const std::vector<protocol::AccountRef>& accounts) : accounts_(accounts) {}

  // The error of a header that does not serve.
  std::optional<std::string> ReadHeader(const CsvRow& header) {
    for (std::size_t i = 0; i < header.fields.size(); ++i) {
      std::string name(Trim(header.fields[i]));
      if (std::find(kColumns.begin(), kColumns.end(), name) == kColumns.end()) {
        std::string nearest = NearestName(name, kColumns);
        return "line 1: unknown column \"" + Sanitize(name, 40) + "\"" +
               (nearest.empty() ? "" : ", did you mean " + nearest + "?") +
               "; the first line names the columns: to,from_bank,amount,currency,memo,id";
      }
      if (name == "from") name = "from_bank";
      if (!columns_.emplace(name, i).second) return "line 1: the column " + name + " is there twice";
    }
    bool payee = columns_.contains("to") != (columns_.contains("to_bank") && columns_.contains("to_account"));
    if (!payee) return "line 1: name the payee in a column to (BANK/ACCOUNT) or in two columns to_bank and to_account";
    for (const char* needed : {"from_bank", "amount", "currency"}) {
      if (!columns_.contains(needed)) return std::string("line 1: the column ") + needed + " is missing";
    }
    width_ = header.fields.size();
    return std::nullopt;
  }

  Result<FilePayment> Read(const CsvRow& row) {
    if (row.fields.size() != width_) {
      return Bad(row, "has " + std::to_string(row.fields.size()) + " fields and the header " + std::to_string(width_));
    }
    FilePayment payment{.line = row.line, .order = {}, .state = "PLANNED", .reason_code = {}, .message = {}};
    auto to = ParseAccount(columns_.contains("to") ? Field(row, "to")
                                                   : Field(row, "to_bank") + "/" + Field(row, "to_account"));
    if (!to) return Bad(row, to.error().message);
    payment.order.to = *to;
    std::string bank = Field(row, "from_bank");
    auto own = std::find_if(accounts_.begin(), accounts_.end(), [&](const auto& it) { return it.bank_id == bank; });
    if (own == accounts_.end()) return Bad(row, "you have no account at the bank \"" + Sanitize(bank, 40) + "\"");
    payment.order.from = *own;
    if (payment.order.from == payment.order.to) return Bad(row, "payer and payee are the same account");
    std::string code = Field(row, "currency");
    auto currency = Currency::Parse(code);
    if (!currency) return Bad(row, "\"" + Sanitize(code, 20) + "\" is not a currency; write an ISO 4217 code");
    auto amount = ParseAmount(Field(row, "amount"), *currency);
    if (!amount) return Bad(row, amount.error().message);
    if (amount->minor_units == 0 || amount->minor_units > limits::kMaxAmountMinorUnits) {
      return Bad(row, amount->minor_units == 0 ? "the amount is zero" : "the amount is more than a payment may be");
    }
    payment.order.amount = *amount;
    payment.order.memo = columns_.contains("memo") ? row.fields[columns_["memo"]] : "";
    if (payment.order.memo.size() > limits::kMaxMemoBytes || !IsPrintableUtf8(payment.order.memo)) {
      return Bad(row, "the memo is longer than " + std::to_string(limits::kMaxMemoBytes) +
                          " bytes or holds control characters");
    }
    return WithId(row, std::move(payment));
  }

 private:
  Result<FilePayment> WithId(const CsvRow& row, FilePayment payment) {
    std::string text = columns_.contains("id") ? Field(row, "id") : "";
    if (text.empty()) return payment;
    auto id = Uuid::Parse(text);
    if (!id) return Bad(row, "the id \"" + Sanitize(text, 40) + "\" is not a UUID");
    if (!ids_.insert(*id).second) return Bad(row, "the id " + text + " is used by a line above");
    payment.order.id = *id;
    return payment;
  }

  static std::unexpected<Error> Bad(const CsvRow& row, const std::string& what) {
    return Fail(ErrorCode::kInvalidInput, "line " + std::to_string(row.line) + ": " + what);
  }

  std::string Field(const CsvRow& row, const std::string& name) {
    return std::string(Trim(row.fields[columns_[name]]));
  }

  const std::vector<protocol::AccountRef>& accounts_;
  std::map<std::string, std::size_t> columns_;
  std::size_t width_ = 0;
  std::unordered_set<Uuid> ids_;
};

}  // namespace

std::vector<FilePayment> ParsePayments(const std::string& text, const std::vector<protocol::AccountRef>& accounts,
                                       std::vector<std::string>* errors) {
  std::vector<FilePayment> payments;
  auto rows = ParseCsv(text);
  if (!rows || rows->empty()) {
    errors->push_back(rows ? "line 1: the header is missing" : rows.error().message);
    return payments;
  }
  RowReader reader(accounts);
  if (auto error = reader.ReadHeader(rows->front())) {
    errors->push_back(*error);
    return payments;
  }
  for (std::size_t i = 1; i < rows->size(); ++i) {
    auto payment = reader.Read((*rows)[i]);
    if (payment) {
      payments.push_back(std::move(*payment));
    } else {
      errors->push_back(payment.error().message);
    }
  }
  return payments;
}

}  // namespace strife::cli
