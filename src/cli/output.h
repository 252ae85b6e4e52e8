// What commands print and how they end.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/money.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace strife::cli {

// Exit statuses of the executable; scripts rely on them.
enum Exit : int {
  kExitDone = 0,
  kExitFailed = 1,          // refused or failed, with a reason
  kExitUsage = 2,           // the command line makes no sense
  kExitUnknownOutcome = 3,  // it may or may not have taken effect: ask again
};

enum class OutputFormat { kTable, kJson };

// Keys in the order they were put in.
using Json = nlohmann::ordered_json;

// Adds --output table|json, which sets `*format`.
void AddOutputFlag(CLI::App& command, OutputFormat* format);

// An amount as a decimal string with its minor units and currency.
Json AmountJson(const Money& money);
// "12.50 USD".
std::string AmountText(const Money& money);

// To standard output, with a line feed; bytes that are no UTF-8 are replaced.
void PrintJson(const Json& json);
// Whether everything printed to standard output has been written. A reader that has gone away wanted no more.
Status FlushOutput();
void PrintText(const std::string& text);

// "strife: <message>" on standard error, as one line: errors, and notes that do not belong into the output.
void PrintError(const std::string& message);

// Prints the error and returns the exit status it calls for.
int Report(const Error& error);
// The same for what the user typed wrongly, whatever code the error has.
int ReportUsage(const std::string& message);

}  // namespace strife::cli
