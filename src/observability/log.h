// Logs: a directory of rotated files that never make the caller wait.
//
// A line is `<UTC time> <LEVEL> <pairs>`, or a JSON object of the same. Write puts it into a bounded buffer in memory;
// one thread for the directory writes the buffers out, at the latest a twentieth of a second later. When the disk
// cannot keep up and a buffer is full, lines are dropped and counted; the count goes into the log with the next lines
// that fit. So a log may lose lines that were written just before a crash and is no record to decide on: those are in
// storage.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "observability/log_line.h"

namespace strife {

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarning, kError, kCritical };

// "trace", "debug", "info", "warning", "error", "critical"; nullopt for everything else.
std::optional<LogLevel> ParseLogLevel(std::string_view name);

enum class LogFormat : std::uint8_t { kText, kJson };

// "text", "json"; nullopt for everything else.
std::optional<LogFormat> ParseLogFormat(std::string_view name);

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  std::size_t max_file_bytes = std::size_t{64} << 20;  // then the file is rotated: x.log, x.1.log, x.2.log, …
  std::size_t kept_files = 5;                          // rotated ones, besides the current
  std::size_t buffer_bytes = std::size_t{4} << 20;     // per file; the writer holds as much again
};

class LogDirectory;

// One log file. Thread-safe, never blocks on I/O, never fails.
class Logger {
 public:
  // Whether lines of this level are kept. Ask before building a line that costs something.
  bool Enabled(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }
  // A critical line also goes to stderr.
  void Write(LogLevel level, const LogLine& line);

  // Lines lost so far because the buffer was full or the file could not be written.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;
  ~Logger();

 private:
  friend class LogDirectory;
  class File;
  Logger(LogDirectory& owner, std::string name, std::unique_ptr<File> file);

  LogDirectory& owner_;
  const std::string name_;
  std::atomic<LogLevel> level_;
  std::atomic<std::uint64_t> dropped_{0};

  std::mutex mutex_;
  std::string buffer_;                // guarded by mutex_
  std::string critical_;              // guarded by mutex_; the lines that also go to stderr
  std::uint64_t buffered_lines_ = 0;  // guarded by mutex_

  // The writer thread's own.
  std::unique_ptr<File> file_;
  std::string writing_;
  std::uint64_t dropped_reported_ = 0;
};

class LogDirectory {
 public:
  // Creates `directory` (0700) when missing and opens the files `names` (0600) in it for appending.
  static Result<std::unique_ptr<LogDirectory>> Open(const std::filesystem::path& directory,
                                                    const std::vector<std::string>& names, LogOptions options = {});
  // Writes out everything that is buffered. Loggers must not be used any more.
  ~LogDirectory();

  // REQUIRES: `name` was given to Open. Valid as long as the directory.
  Logger& Get(std::string_view name);

  // Thread-safe, at once.
  void SetLevel(LogLevel level);
  // Thread-safe. Before the next line is written all files are closed and opened anew by name, so that an outside tool
  // may have renamed them.
  void Reopen();
  // Thread-safe. Returns when every line written before the call is in its file.
  void Flush();
  // Sum over all files.
  std::uint64_t dropped() const;

 private:
  friend class Logger;
  struct Writer;

  LogDirectory(std::filesystem::path directory, LogOptions options);
  void Wake(bool urgent);
  void Run();
  void WriteOut(bool reopen);
  void WriteOut(Logger& logger);

  const std::filesystem::path directory_;
  const LogOptions options_;
  std::vector<std::unique_ptr<Logger>> loggers_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace strife
