#include "cli/output.h"

#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>

#include "base/text.h"
#include "cli/table.h"

namespace strife::cli {
namespace {

void WriteLine(std::FILE* stream, const std::string& line) { std::fprintf(stream, "%s\n", line.c_str()); }

}  // namespace

void AddOutputFlag(CLI::App& command, OutputFormat* format) {
  static const std::map<std::string, OutputFormat> kFormats = {{"table", OutputFormat::kTable},
                                                               {"json", OutputFormat::kJson}};
  auto keep = [format](const std::string& text) {
    auto found = kFormats.find(text);
    if (found == kFormats.end()) throw CLI::ValidationError("--output is \"" + text + "\"; write table or json");
    *format = found->second;
  };
  command.add_option_function<std::string>("--output", keep, "How to print: table or json [table]");
}

Json AmountJson(const Money& money) {
  return {{"amount", FormatAmount(money)},
          {"minor_units", money.minor_units},
          {"currency", std::string(money.currency.code())}};
}

std::string AmountText(const Money& money) { return FormatAmount(money) + " " + std::string(money.currency.code()); }

void PrintJson(const Json& json) {
  WriteLine(stdout, json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

Status FlushOutput() {
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  const int reason = errno;
  if (written) return {};
  pollfd output{STDOUT_FILENO, 0, 0};
  if (::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0) return {};
  return Fail(ErrorCode::kStorage, std::string("not all of the output could be written to standard output: ") +
                                       std::strerror(reason != 0 ? reason : EIO) +
                                       "; what the command did stands, run it again for what it says");
}

void PrintText(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void PrintError(const std::string& message) {
  std::fflush(stdout);
  WriteLine(stderr, Wrap("strife: " + Sanitize(message, 2048), TerminalColumns(STDERR_FILENO)));
}

int Report(const Error& error) {
  PrintError(error.message);
  switch (error.code) {
    case ErrorCode::kUsage:
      return kExitUsage;
    case ErrorCode::kUnknownOutcome:
      return kExitUnknownOutcome;
    default:
      return kExitFailed;
  }
}

int ReportUsage(const std::string& message) { return Report({ErrorCode::kUsage, message}); }

}  // namespace strife::cli
