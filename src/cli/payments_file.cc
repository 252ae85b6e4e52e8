#include "cli/payments_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "cli/csv.h"
#include "cli/duration.h"
#include "cli/payment_view.h"
#include "security/random.h"
#include "security/secure_file.h"

namespace strife::cli {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kResultColumns = {"line",     "id",   "from",  "to",          "amount",
                                                 "currency", "memo", "state", "reason_code", "message"};

std::string ResultRow(const FilePayment& payment) {
  const auto& order = payment.order;
  return FormatCsvRow({std::to_string(payment.line), order.id.ToString(), AccountText(order.from),
                       AccountText(order.to), FormatAmount(order.amount), std::string(order.amount.currency.code()),
                       order.memo, payment.state, payment.reason_code, payment.message});
}

// What a row of the result file says the payment is: everything but the outcome.
std::vector<std::string> Identity(const std::vector<std::string>& fields) {
  return {fields.begin() + 2, fields.begin() + 7};
}

}  // namespace

PaymentsFile::PaymentsFile(PaymentsFile&& other) noexcept
    : lock_(std::move(other.lock_)),
      result_file_(std::move(other.result_file_)),
      payments_(std::move(other.payments_)),
      fd_(std::exchange(other.fd_, -1)) {}

PaymentsFile::~PaymentsFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<PaymentsFile> PaymentsFile::Open(const fs::path& name, const std::vector<protocol::AccountRef>& accounts,
                                        std::vector<std::string>* errors) {
  auto text = security::ReadFile(name);
  if (!text) return std::unexpected(text.error());
  std::error_code unresolved;
  const fs::path resolved = fs::canonical(name, unresolved);
  const fs::path& file = unresolved ? name : resolved;  // under whatever name, a file is paid once
  auto lock = client::FileLock::TryAcquire(file);
  if (!lock) return std::unexpected(lock.error());
  std::vector<FilePayment> payments = ParsePayments(*text, accounts, errors);
  if (!errors->empty()) {
    return Fail(ErrorCode::kInvalidInput, file.string() + " has " + std::to_string(errors->size()) +
                                              (errors->size() == 1 ? " bad line" : " bad lines") +
                                              "; nothing was sent, correct the file and run it again");
  }
  PaymentsFile opened(std::move(*lock), file.string() + ".result.csv", std::move(payments));
  auto results = security::ReadFile(opened.result_file_);
  if (results) {
    if (auto resumed = opened.Resume(*results); !resumed) return std::unexpected(resumed.error());
  } else if (results.error().code != ErrorCode::kNotFound) {
    return std::unexpected(results.error());
  }
  for (FilePayment& payment : opened.payments_) {
    if (payment.order.id.IsNil()) payment.order.id = security::NewUuidV7(WallNow());
  }
  if (auto written = opened.WriteAll(); !written) return std::unexpected(written.error());
  if (auto appending = opened.OpenForAppending(); !appending) return std::unexpected(appending.error());
  return opened;
}

Status PaymentsFile::Resume(const std::string& results) {
  // A crash may have cut the last row short; the row before it, or the plan, then counts.
  std::size_t complete = results.rfind('\n');
  auto rows = ParseCsv(std::string_view(results).substr(0, complete == std::string::npos ? 0 : complete + 1));
  std::string advice =
      "; pay what is new from a new file, or remove " + result_file_.string() + " if none of it is to count any more";
  if (!rows) return Fail(ErrorCode::kInvalidInput, result_file_.string() + " " + rows.error().message + advice);
  // The plan is written as a whole before anything is sent, so that whatever lacks a part of it has been damaged since.
  if (rows->empty() || rows->front().fields != kResultColumns) {
    return Fail(ErrorCode::kInvalidInput, result_file_.string() + " does not begin as a result file does" + advice);
  }
  std::map<std::string, const std::vector<std::string>*> last;
  for (const CsvRow& row : *rows) {
    if (row.fields.size() != kResultColumns.size()) {
      return Fail(ErrorCode::kInvalidInput,
                  result_file_.string() + " line " + std::to_string(row.line) + " is not a result row" + advice);
    }
    last[row.fields[0]] = &row.fields;
  }
  last.erase("line");
  for (FilePayment& payment : payments_) {
    auto found = last.find(std::to_string(payment.line));
    if (found == last.end()) {
      return Fail(ErrorCode::kInvalidInput, result_file_.string() + " has no row for line " +
                                                std::to_string(payment.line) +
                                                ": either the line is new, or the result file was cut short and the "
                                                "line may have been paid" +
                                                advice);
    }
    const auto& fields = *found->second;
    auto id = Uuid::Parse(fields[1]);
    bool same = id && (payment.order.id.IsNil() || payment.order.id == *id) &&
                Identity(ParseCsv(ResultRow(payment))->front().fields) == Identity(fields);
    if (!same) {
      return Fail(ErrorCode::kInvalidInput, "line " + std::to_string(payment.line) +
                                                " is another payment than when the file was first run (or another "
                                                "user ran it)" +
                                                advice);
    }
    payment.order.id = *id;
    payment.state = fields[7];
    payment.reason_code = fields[8];
    payment.message = fields[9];
    last.erase(found);
  }
  if (!last.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                "line " + last.begin()->first + " was there when the file was first run and is gone" + advice);
  }
  return {};
}

Status PaymentsFile::WriteAll() const {
  std::string content = FormatCsvRow(kResultColumns);
  for (const FilePayment& payment : payments_) content += ResultRow(payment);
  return security::WriteFile(result_file_, content, security::kPrivateMode, security::Existing::kReplace);
}

Status PaymentsFile::OpenForAppending() {
  fd_ = ::open(result_file_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd_ >= 0) return {};
  return Fail(ErrorCode::kStorage, "cannot write " + result_file_.string() + ": " + std::strerror(errno));
}

Status PaymentsFile::Record(const FilePayment& payment) {
  std::string row = ResultRow(payment);
  if (::write(fd_, row.data(), row.size()) == static_cast<ssize_t>(row.size())) return {};
  return Fail(ErrorCode::kStorage, "cannot write " + result_file_.string() + ": " + std::strerror(errno));
}

Status PaymentsFile::Sync() {
  if (::fdatasync(fd_) == 0) return {};
  return Fail(ErrorCode::kStorage, "cannot sync " + result_file_.string() + ": " + std::strerror(errno));
}

Status PaymentsFile::Finish() { return WriteAll(); }

}  // namespace strife::cli
