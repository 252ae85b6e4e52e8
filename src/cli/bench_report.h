// What a load has shown, for people and programs.
#pragma once

#include <string>

#include "cli/load.h"
#include "cli/output.h"
#include "cli/process_usage.h"

namespace strife::cli {

struct BenchReport {
  LoadOptions options;
  LoadResult result;
  std::size_t users = 0;
  std::size_t accounts = 0;
  std::size_t banks = 0;
  std::size_t connections = 0;
  std::vector<UsageMeter::Row> processes;  // over the measured part, the load itself included
};

// Payments a second.
double Rate(const LoadResult& result);

Json BenchJson(const BenchReport& report);
std::string BenchText(const BenchReport& report);

}  // namespace strife::cli
