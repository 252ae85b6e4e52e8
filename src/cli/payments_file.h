// A file of payments and the result file beside it, which makes a rerun safe.
//
// payments.csv has a header line that names its columns, in any order:
//   to            BANK/ACCOUNT, or the two columns to_bank and to_account
//   from_bank     the bank of the payer's account (also: from)
//   amount        decimal, such as 12.50
//   currency      ISO 4217
//   memo, id      may be missing or empty; id is the payment's UUID
//
// payments.csv.result.csv gets a row with an id for every payment and is synced before anything is sent; from then on
// the ids are fixed, so the same file run again asks about the same payments and pays none of them twice. Outcomes are
// appended as they come; the last row about a line of the file is the one that counts.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/file_lock.h"
#include "protocol/types.h"

namespace strife::cli {

struct FilePayment {
  std::size_t line = 0;  // in the payments file
  protocol::PaymentOrder order;
  // PLANNED, or what became of it: a payment state, REFUSED, NOT_SENT or UNKNOWN.
  std::string state;
  std::string reason_code;
  std::string message;

  // It has ended and is not sent again.
  bool IsFinal() const { return state == "COMPLETED" || state == "ABORTED"; }
  // It is not certain that no gateway has it. UNKNOWN goes on record before a payment is first sent.
  bool MayHaveArrived() const { return state != "PLANNED" && state != "NOT_SENT" && state != "REFUSED"; }
};

// Reads the payments of `text`; `accounts` are the payer's own, of which each row names the bank. One error for each
// bad row, in `errors`; ids that are missing are nil.
std::vector<FilePayment> ParsePayments(const std::string& text, const std::vector<protocol::AccountRef>& accounts,
                                       std::vector<std::string>* errors);

// A payments file being run, by one process at a time.
class PaymentsFile {
 public:
  // Reads and checks the whole file, takes up the result file of an earlier run if there is one, and else makes one
  // with ids for all payments. Nothing is written when a row is wrong: the error then counts the bad rows, and `errors`
  // names each. kAlreadyExists when another process is running the file.
  static Result<PaymentsFile> Open(const std::filesystem::path& file, const std::vector<protocol::AccountRef>& accounts,
                                   std::vector<std::string>* errors);

  std::vector<FilePayment>& payments() { return payments_; }
  const std::filesystem::path& result_file() const { return result_file_; }

  // Appends what has become of `payment`.
  Status Record(const FilePayment& payment);
  // Makes the rows recorded so far durable.
  Status Sync();
  // Rewrites the result file as one row for each payment, in the file's order.
  Status Finish();

  PaymentsFile(PaymentsFile&& other) noexcept;
  PaymentsFile& operator=(PaymentsFile&&) = delete;
  ~PaymentsFile();

 private:
  PaymentsFile(client::FileLock lock, std::filesystem::path result_file, std::vector<FilePayment> payments)
      : lock_(std::move(lock)), result_file_(std::move(result_file)), payments_(std::move(payments)) {}

  // Takes ids and states from an earlier run; an error when the payments file is not the one it was.
  Status Resume(const std::string& results);
  Status WriteAll() const;
  Status OpenForAppending();

  client::FileLock lock_;
  std::filesystem::path result_file_;
  std::vector<FilePayment> payments_;
  int fd_ = -1;
};

}  // namespace strife::cli
