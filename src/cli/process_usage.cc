#include "cli/process_usage.h"

#include <charconv>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

namespace strife::cli {
namespace {

namespace fs = std::filesystem;

fs::path ProcOf(int pid) { return "/proc/" + std::to_string(pid); }

std::string Contents(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// "VmRSS:     1234 kB" in bytes; 0 when there is no such line.
std::uint64_t KibLine(const std::string& status, const std::string& name) {
  const std::size_t at = status.find("\n" + name + ":");
  if (at == std::string::npos) return 0;
  return std::strtoull(status.c_str() + at + name.size() + 2, nullptr, 10) * 1024;
}

// Whether the process was started as `strife … --config FILE`.
bool IsStartedWith(int pid, const fs::path& config_file) {
  const std::string words = Contents(ProcOf(pid) / "cmdline");
  std::error_code error;
  const fs::path folder = fs::read_symlink(ProcOf(pid) / "cwd", error);
  bool after_flag = false;
  std::istringstream stream(words);
  for (std::string word; std::getline(stream, word, '\0');) {
    if (after_flag && (folder / word).lexically_normal() == config_file) return true;
    after_flag = word == "--config";
  }
  return false;
}

}  // namespace

std::optional<ProcessUsage> ReadUsage(int pid) {
  const std::string status = Contents(ProcOf(pid) / "status");
  clockid_t clock{};
  timespec used{};
  if (status.empty() || ::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
    return std::nullopt;
  }
  return ProcessUsage{.cpu = Duration(used.tv_sec * 1'000'000 + used.tv_nsec / 1000),
                      .resident_bytes = KibLine(status, "VmRSS"),
                      .peak_bytes = KibLine(status, "VmHWM")};
}

std::optional<int> FindServerProcess(const Network& network, const NetworkServer& server) {
  if (auto pid = RunningProcess(network.PidFile(server))) return pid;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    int pid = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (read.ec != std::errc() || read.ptr != name.data() + name.size()) continue;
    if (IsStartedWith(pid, server.config_file)) return pid;
  }
  return std::nullopt;
}

void UsageMeter::Begin() {
  std::vector<Row> there;
  for (Row& row : rows_) {
    const auto usage = ReadUsage(row.pid);
    if (!usage) continue;
    row.cpu = -usage->cpu;
    there.push_back(std::move(row));
  }
  rows_ = std::move(there);
}

void UsageMeter::End() {
  std::vector<Row> there;
  for (Row& row : rows_) {
    const auto usage = ReadUsage(row.pid);
    if (!usage) continue;
    row.cpu += usage->cpu;
    row.resident_bytes = usage->resident_bytes;
    row.peak_bytes = usage->peak_bytes;
    there.push_back(std::move(row));
  }
  rows_ = std::move(there);
}

}  // namespace strife::cli
