#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "observability/metrics.h"

namespace strife {
namespace {

struct ProcessStat {
  double threads = 0;
  double start_time_seconds = 0;  // since 1970
  double virtual_bytes = 0;
  double resident_bytes = 0;
};

// When the machine started, in seconds since 1970.
double BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

// proc(5), /proc/self/stat: the fields after the name in parentheses are numbered from 3.
ProcessStat ReadStat() {
  static const double boot_time = BootTime();
  ProcessStat stat;
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return stat;
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::array<std::string, 22> values;  // fields 3 to 24
  for (std::string& value : values) fields >> value;
  if (!fields) return stat;
  const auto field = [&](std::size_t number) { return std::stod(values[number - 3]); };
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  stat.threads = field(20);
  stat.start_time_seconds = boot_time + field(22) / ticks;
  stat.virtual_bytes = field(23);
  stat.resident_bytes = field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  return stat;
}

// By the clock, not by the ticks in /proc: those are 10 ms.
double CpuSeconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double OpenFiles() {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return 0;
  return static_cast<double>(std::distance(begin(entries), end(entries))) - 1;  // without the one that reads it
}

}  // namespace

void CollectProcess(MetricWriter& writer, std::string_view role) {
  const ProcessStat stat = ReadStat();
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  writer.Gauge("strife_build_info", "Always 1; which Strife this is.", {{"role", role}, {"version", STRIFE_VERSION}},
               1);
  writer.Count("process_cpu_seconds_total", "User and system CPU time spent.", {}, CpuSeconds());
  writer.Gauge("process_resident_memory_bytes", "Resident memory.", {}, stat.resident_bytes);
  writer.Gauge("process_virtual_memory_bytes", "Virtual memory.", {}, stat.virtual_bytes);
  writer.Gauge("process_threads", "Threads.", {}, stat.threads);
  writer.Gauge("process_open_fds", "Open file descriptors.", {}, OpenFiles());
  writer.Gauge("process_max_fds", "How many file descriptors may be open.", {}, static_cast<double>(files.rlim_cur));
  writer.Gauge("process_start_time_seconds", "When the process started, since 1970.", {}, stat.start_time_seconds);
}

}  // namespace strife
