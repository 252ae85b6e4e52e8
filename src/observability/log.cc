#include "observability/log.h"

#include <fcntl.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <thread>

#include "base/assert.h"
#include "base/private_directory.h"

namespace strife {
namespace {

constexpr auto kGatherTime = std::chrono::milliseconds(50);  // so that a busy log costs few wake-ups
constexpr std::array<std::string_view, 6> kLevelNames = {"trace", "debug", "info", "warning", "error", "critical"};
constexpr std::array<std::string_view, 6> kLevelTags = {"TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};

// "2026-01-31T23:59:59.123456Z". The part down to the second is worked out once a second for each thread.
void AppendTime(std::string& text) {
  thread_local std::time_t cached_second = -1;
  thread_local std::array<char, 21> cached{};
  std::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec != cached_second) {
    std::tm utc{};
    ::gmtime_r(&now.tv_sec, &utc);
    std::strftime(cached.data(), cached.size(), "%Y-%m-%dT%H:%M:%S.", &utc);
    cached_second = now.tv_sec;
  }
  text.append(cached.data(), 20);
  std::array<char, 7> micros = {'0', '0', '0', '0', '0', '0', 'Z'};
  auto rest = now.tv_nsec / 1000;
  for (std::size_t i = 6; i-- > 0; rest /= 10) micros[i] = static_cast<char>('0' + rest % 10);
  text.append(micros.data(), micros.size());
}

void AppendLine(std::string& text, LogFormat format, LogLevel level, const LogLine& line) {
  if (format == LogFormat::kText) {
    AppendTime(text);
    text += ' ';
    text += kLevelTags[static_cast<std::size_t>(level)];
    text += ' ';
    line.AppendText(text);
    text += '\n';
    return;
  }
  text += "{\"time\":\"";
  AppendTime(text);
  text += "\",\"level\":\"";
  text += kLevelNames[static_cast<std::size_t>(level)];
  text += "\",";
  line.AppendJson(text);
  text += "}\n";
}

// Makes the file with its mode, so that it is never readable by others, not even for a moment.
void CreatePrivate(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw spdlog::spdlog_ex("cannot open " + path, errno);
  const int changed = ::fchmod(fd, 0600);
  ::close(fd);
  if (changed != 0) throw spdlog::spdlog_ex("cannot make private " + path, errno);
}

}  // namespace

std::optional<LogFormat> ParseLogFormat(std::string_view name) {
  if (name == "text") return LogFormat::kText;
  if (name == "json") return LogFormat::kJson;
  return std::nullopt;
}

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

// ---- File
// ------------------------------------------------------------------------------------------------------------

// The rotated file behind a logger; used by the writer thread only.
class Logger::File {
 public:
  File(std::string path, const LogOptions& options) : path_(std::move(path)), options_(options) {}

  // After a failure the file is closed, and the next Append tries to open it again.
  Status Open() {
    try {
      sink_.reset();  // first, so that what it holds goes to the file it belongs to
      spdlog::file_event_handlers handlers;
      handlers.before_open = CreatePrivate;
      auto sink = std::make_unique<spdlog::sinks::rotating_file_sink_st>(
          path_, options_.max_file_bytes, options_.kept_files, /*rotate_on_open=*/false, handlers);
      sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, ""));
      sink_ = std::move(sink);
      return {};
    } catch (const std::exception& error) {
      return Fail(ErrorCode::kStorage, "cannot open the log " + path_ + ": " + error.what());
    }
  }

  Status Append(std::string_view lines) {
    if (!sink_) {
      if (auto opened = Open(); !opened) return opened;
    }
    try {
      sink_->log(spdlog::details::log_msg("", spdlog::level::info, {lines.data(), lines.size()}));
      sink_->flush();
      return {};
    } catch (const std::exception& error) {
      sink_.reset();
      return Fail(ErrorCode::kStorage, "cannot write the log " + path_ + ": " + error.what());
    }
  }

 private:
  const std::string path_;
  const LogOptions& options_;
  std::unique_ptr<spdlog::sinks::rotating_file_sink_st> sink_;
};

// ---- Logger
// ----------------------------------------------------------------------------------------------------------

Logger::Logger(LogDirectory& owner, std::string name, std::unique_ptr<File> file)
    : owner_(owner), name_(std::move(name)), level_(owner.options_.level), file_(std::move(file)) {}

Logger::~Logger() = default;

void Logger::Write(LogLevel level, const LogLine& line) {
  if (!Enabled(level)) return;
  bool first = false, half_full = false;
  {
    std::lock_guard lock(mutex_);
    if (buffer_.size() + line.size() > owner_.options_.buffer_bytes) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    first = buffer_.empty();
    const std::size_t start = buffer_.size();
    AppendLine(buffer_, owner_.options_.format, level, line);
    ++buffered_lines_;
    half_full = start <= owner_.options_.buffer_bytes / 2 && buffer_.size() > owner_.options_.buffer_bytes / 2;
    if (level == LogLevel::kCritical) critical_.append(buffer_, start);
  }
  const bool urgent = half_full || level == LogLevel::kCritical;
  if (first || urgent) owner_.Wake(urgent);
}

// ---- LogDirectory
// ----------------------------------------------------------------------------------------------------

struct LogDirectory::Writer {
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable flushed;
  // Guarded by mutex.
  bool pending = false;
  bool urgent = false;
  bool reopen = false;
  bool stop = false;
  std::uint64_t flushes_asked = 0;
  std::uint64_t flushes_done = 0;

  std::thread thread;
};

LogDirectory::LogDirectory(std::filesystem::path directory, LogOptions options)
    : directory_(std::move(directory)), options_(options), writer_(std::make_unique<Writer>()) {}

Result<std::unique_ptr<LogDirectory>> LogDirectory::Open(const std::filesystem::path& directory,
                                                         const std::vector<std::string>& names, LogOptions options) {
  if (Status made = MakePrivateDirectory(directory); !made) return std::unexpected(made.error());
  std::unique_ptr<LogDirectory> logs(new LogDirectory(directory, options));
  for (const std::string& name : names) {
    auto file = std::make_unique<Logger::File>((directory / name).string(), logs->options_);
    if (auto opened = file->Open(); !opened) return std::unexpected(opened.error());
    logs->loggers_.push_back(std::unique_ptr<Logger>(new Logger(*logs, name, std::move(file))));
  }
  logs->writer_->thread = std::thread([owner = logs.get()] { owner->Run(); });
  return logs;
}

LogDirectory::~LogDirectory() {
  if (!writer_->thread.joinable()) return;  // Open failed half-way
  {
    std::lock_guard lock(writer_->mutex);
    writer_->stop = true;
  }
  writer_->wake.notify_one();
  writer_->thread.join();
}

Logger& LogDirectory::Get(std::string_view name) {
  for (const auto& logger : loggers_) {
    if (logger->name_ == name) return *logger;
  }
  STRIFE_ASSERT(!"a log that was not named to LogDirectory::Open");
  return *loggers_.front();
}

void LogDirectory::SetLevel(LogLevel level) {
  for (const auto& logger : loggers_) logger->level_.store(level, std::memory_order_relaxed);
}

void LogDirectory::Reopen() {
  std::lock_guard lock(writer_->mutex);
  writer_->reopen = true;
  writer_->pending = true;
  writer_->wake.notify_one();
}

void LogDirectory::Flush() {
  std::unique_lock lock(writer_->mutex);
  const std::uint64_t mine = ++writer_->flushes_asked;
  writer_->wake.notify_one();
  writer_->flushed.wait(lock, [&] { return writer_->flushes_done >= mine; });
}

std::uint64_t LogDirectory::dropped() const {
  std::uint64_t sum = 0;
  for (const auto& logger : loggers_) sum += logger->dropped();
  return sum;
}

void LogDirectory::Wake(bool urgent) {
  std::lock_guard lock(writer_->mutex);
  writer_->pending = true;
  writer_->urgent |= urgent;
  writer_->wake.notify_one();
}

void LogDirectory::Run() {
  Writer& writer = *writer_;
  std::unique_lock lock(writer.mutex);
  bool stopping = false;
  while (!stopping) {
    const auto hurry = [&] { return writer.stop || writer.urgent || writer.flushes_asked > writer.flushes_done; };
    writer.wake.wait(lock, [&] { return writer.pending || hurry(); });
    writer.wake.wait_for(lock, kGatherTime, hurry);
    stopping = writer.stop;
    writer.pending = writer.urgent = false;
    const bool reopen = std::exchange(writer.reopen, false);
    const std::uint64_t flushing = writer.flushes_asked;
    lock.unlock();
    WriteOut(reopen);
    lock.lock();
    writer.flushes_done = flushing;
    writer.flushed.notify_all();
  }
}

void LogDirectory::WriteOut(bool reopen) {
  for (const auto& logger : loggers_) {
    if (reopen) {
      // When it fails, Append tries again and reports.
      if (auto opened = logger->file_->Open(); !opened)
        std::fprintf(stderr, "strife: %s\n", opened.error().message.c_str());
    }
    WriteOut(*logger);
  }
}

void LogDirectory::WriteOut(Logger& logger) {
  logger.writing_.clear();
  std::string critical;
  std::uint64_t lines = 0;
  {
    std::lock_guard lock(logger.mutex_);
    logger.writing_.swap(logger.buffer_);
    critical.swap(logger.critical_);
    lines = std::exchange(logger.buffered_lines_, 0);
  }
  if (!critical.empty()) std::fwrite(critical.data(), 1, critical.size(), stderr);
  const std::uint64_t dropped = logger.dropped();
  if (dropped > logger.dropped_reported_) {
    const auto line =
        LogLine("log_lines_dropped").Add("count", dropped - logger.dropped_reported_).Add("total", dropped);
    AppendLine(logger.writing_, options_.format, LogLevel::kWarning, line);
  }
  if (logger.writing_.empty()) return;
  if (auto written = logger.file_->Append(logger.writing_); written) {
    logger.dropped_reported_ = dropped;
  } else {
    // Said once for each run of failures: the next line that gets through carries the count.
    if (logger.dropped_reported_ == dropped) std::fprintf(stderr, "strife: %s\n", written.error().message.c_str());
    logger.dropped_.fetch_add(lines, std::memory_order_relaxed);
  }
}

}  // namespace strife
