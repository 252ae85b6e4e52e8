#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "cli/table.h"

namespace strife::cli {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr std::size_t kBarCells = 24;

std::string ProgressLine(const std::string& what, std::size_t done, std::size_t total, double seconds, bool bar) {
  double share = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
  double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string line;
  if (bar) {
    auto filled = static_cast<std::size_t>(share * static_cast<double>(kBarCells));
    line = "[" + std::string(filled, '#') + std::string(kBarCells - filled, '.') + "] ";
  }
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%3.0f %%  %zu/%zu %s  %.0f/s", share * 100, done, total, what.c_str(), rate);
  line += text.data();
  if (done < total && rate > 0) {
    const long left = std::lround(std::min(static_cast<double>(total - done) / rate, 1e9));
    std::snprintf(text.data(), text.size(), "  %02ld:%02ld left", left / 60, left % 60);
    line += text.data();
  }
  return line;
}

Progress::Progress(std::string what, std::size_t total)
    : what_(std::move(what)),
      total_(total),
      bar_(MayDecorate(STDERR_FILENO)),
      start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  if (open_line_) std::fputc('\n', stderr);
}

void Progress::Update(std::size_t done) {
  auto now = std::chrono::steady_clock::now();
  if (bar_) {
    if (done < total_ && now - drawn_ < kRedraw) return;
    drawn_ = now;
    return Draw(done);
  }
  if (total_ == 0 || done * 10 / total_ < next_tenth_) return;
  next_tenth_ = done * 10 / total_ + 1;
  Draw(done);
}

void Progress::Clear() {
  if (!open_line_) return;
  std::fputs("\r\033[K", stderr);
  open_line_ = false;
}

void Progress::Draw(std::size_t done) {
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  std::string line = ProgressLine(what_, done, total_, seconds, bar_);
  std::fprintf(stderr, bar_ ? "\r\033[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
  open_line_ = bar_;
}

}  // namespace strife::cli
