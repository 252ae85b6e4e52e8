// Progress of a long run, on standard error: a bar on a terminal, a line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace strife::cli {

class Progress {
 public:
  // `what` are counted: "payments".
  Progress(std::string what, std::size_t total);
  // Leaves the bar as it stands and ends its line.
  ~Progress();

  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Draws at most ten times a second.
  void Update(std::size_t done);
  // Takes the bar away, for something else to be printed; it is back with the next Update.
  void Clear();

 private:
  void Draw(std::size_t done);

  const std::string what_;
  const std::size_t total_;
  const bool bar_;
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point drawn_;
  std::size_t next_tenth_ = 1;
  bool open_line_ = false;
};

// "[#####.....]  50 %  500/1000 payments  1234/s  00:12 left"; pure, for a terminal of 80 columns.
std::string ProgressLine(const std::string& what, std::size_t done, std::size_t total, double seconds, bool bar);

}  // namespace strife::cli
