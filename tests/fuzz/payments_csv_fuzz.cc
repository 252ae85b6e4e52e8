// Files of payments: CSV into orders.
#include "cli/csv.h"
#include "cli/payments_file.h"
#include "fuzz.h"
#include "records.h"

namespace strife::cli {
namespace {

const std::vector<protocol::AccountRef> kOwnAccounts = {{"bank1", "user1"}, {"bank2", "user1"}};

// Rows that were read can be written and read again.
void CheckRows(std::string_view text) {
  const auto rows = ParseCsv(text);
  if (!rows) return fuzz::CheckMessage(rows.error().message);
  std::string copy;
  for (const CsvRow& row : *rows) copy += FormatCsvRow(row.fields);
  const auto again = ParseCsv(copy);
  STRIFE_ASSERT(again.has_value() && again->size() == rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) STRIFE_ASSERT((*again)[i].fields == (*rows)[i].fields);
}

// What passes here must not be refused by the gateway after others of the file have been paid.
void CheckPayment(protocol::PaymentOrder order) {
  if (order.id.IsNil()) order.id = Uuid{{1}};  // none given: it gets one later
  fuzz::CheckOrder(order);
}

FUZZ_TARGET(payments_csv) {
  CheckRows(input);
  std::vector<std::string> errors;
  const auto payments = ParsePayments(std::string(input), kOwnAccounts, &errors);
  for (const std::string& error : errors) fuzz::CheckMessage(error);
  for (const FilePayment& payment : payments) CheckPayment(payment.order);
}

}  // namespace
}  // namespace strife::cli
