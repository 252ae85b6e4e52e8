#include "cli/line_editor.h"

#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <cwchar>

#include "cli/shell_line.h"

namespace strife::cli {
namespace {

constexpr int kHistoryLines = 1000;
std::atomic<bool> g_interrupted = false;

void OnInterrupt(int) { g_interrupted = true; }

std::string CommonStart(const std::vector<std::string>& texts) {
  std::string common = texts.front();
  for (const std::string& text : texts) {
    const auto [end, ignored] = std::ranges::mismatch(common, text);
    common.erase(end, common.end());
  }
  return common;
}

}  // namespace

struct LineEditor::Impl {
  Hooks hooks;
  std::filesystem::path history_file;
  EditLine* editor = nullptr;
  History* history = nullptr;
  HistEvent event{};
  int wake_fd = -1;
  std::string prompt;
  bool interrupted = false;
  bool asking = false;
  std::mbstate_t decoding{};

  Line ReadLine();

  static Impl* Of(EditLine* editor) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return static_cast<Impl*>(self);
  }

  static char* Prompt(EditLine* editor) { return Of(editor)->prompt.data(); }

  void ShowNews() {
    std::uint64_t count = 0;
    (void)!::read(wake_fd, &count, sizeof count);
    if (asking) return;
    const std::string news = hooks.news();
    std::string next = hooks.prompt();
    if (news.empty() && next == prompt) return;
    prompt = std::move(next);
    std::fprintf(stdout, "\r\033[K%s", news.c_str());
    std::fflush(stdout);
    el_set(editor, EL_REFRESH);
  }

  // One character from the terminal; in between, news and Ctrl-C.
  static int GetCharacter(EditLine* editor, wchar_t* out) {
    Impl& self = *Of(editor);
    sigset_t open;
    pthread_sigmask(SIG_SETMASK, nullptr, &open);
    sigdelset(&open, SIGINT);
    std::array<pollfd, 2> sources{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{self.wake_fd, POLLIN, 0}};
    for (;;) {
      const int ready = ::ppoll(sources.data(), sources.size(), nullptr, &open);
      if (g_interrupted.exchange(false)) {
        self.interrupted = true;
        *out = L'\n';
        return 1;
      }
      if (ready < 0 && errno == EINTR) continue;
      if (ready < 0) return -1;
      if (sources[1].revents != 0) self.ShowNews();
      if (sources[0].revents == 0) continue;
      char byte = 0;
      const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
      if (got == 0) return 0;
      if (got < 0) return -1;
      const std::size_t used = std::mbrtowc(out, &byte, 1, &self.decoding);
      if (used == static_cast<std::size_t>(-2)) continue;  // the rest of the character is still to come
      if (used == static_cast<std::size_t>(-1)) {
        self.decoding = {};
        continue;
      }
      return 1;
    }
  }

  static unsigned char CompleteWord(EditLine* editor, int) {
    Impl& self = *Of(editor);
    const LineInfo* info = el_line(editor);
    const std::string line(info->buffer, info->cursor);
    const auto candidates = self.hooks.complete(line);
    if (candidates.empty()) return CC_REFRESH_BEEP;
    const std::string prefix = SplitTyped(line).prefix;
    std::string insert = CommonStart(candidates).substr(std::min(prefix.size(), CommonStart(candidates).size()));
    if (candidates.size() == 1) insert += ' ';
    if (!insert.empty()) {
      return el_insertstr(editor, insert.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
    }
    std::string list = "\n";
    for (const std::string& candidate : candidates) list += candidate + "  ";
    std::fprintf(stdout, "%s\n", list.c_str());
    std::fflush(stdout);
    return CC_REDISPLAY;
  }
};

LineEditor::LineEditor(Hooks hooks, std::filesystem::path history_file) : impl_(std::make_unique<Impl>()) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  impl_->hooks = std::move(hooks);
  impl_->history_file = std::move(history_file);
  impl_->wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action{};
  action.sa_handler = &OnInterrupt;  // without SA_RESTART, so that waiting for a key ends
  ::sigaction(SIGINT, &action, nullptr);

  impl_->editor = el_init("strife", stdin, stdout, stderr);
  EditLine* editor = impl_->editor;
  el_set(editor, EL_CLIENTDATA, impl_.get());
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_SIGNAL, 0);
  el_set(editor, EL_PROMPT, &Impl::Prompt);
  el_set(editor, EL_GETCFN, &Impl::GetCharacter);
  el_set(editor, EL_ADDFN, "strife-complete", "Complete the word", &Impl::CompleteWord);
  el_set(editor, EL_BIND, "^I", "strife-complete", nullptr);
  el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);

  impl_->history = history_init();
  history(impl_->history, &impl_->event, H_SETSIZE, kHistoryLines);
  history(impl_->history, &impl_->event, H_SETUNIQUE, 1);
  el_set(editor, EL_HIST, &history, impl_->history);
  if (impl_->history_file.empty()) return;
  const int fd = ::open(impl_->history_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
  history(impl_->history, &impl_->event, H_LOAD, impl_->history_file.c_str());
}

LineEditor::~LineEditor() {
  el_end(impl_->editor);
  history_end(impl_->history);
  ::close(impl_->wake_fd);
}

LineEditor::Line LineEditor::Read() {
  impl_->prompt = impl_->hooks.prompt();
  return impl_->ReadLine();
}

LineEditor::Line LineEditor::Ask(const std::string& question) {
  impl_->prompt = question;
  impl_->asking = true;
  Line line = impl_->ReadLine();
  impl_->asking = false;
  return line;
}

LineEditor::Line LineEditor::Impl::ReadLine() {
  interrupted = false;
  int count = 0;
  const char* text = el_gets(editor, &count);
  if (interrupted) return {Line::Kind::kInterrupted, {}};
  if (text == nullptr || count <= 0) return {Line::Kind::kEnd, {}};
  std::string line(text, static_cast<std::size_t>(count));
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  return {Line::Kind::kText, std::move(line)};
}

void LineEditor::Remember(const std::string& line) {
  if (line.empty() || line.front() == ' ') return;
  history(impl_->history, &impl_->event, H_ENTER, line.c_str());
  if (!impl_->history_file.empty()) {
    history(impl_->history, &impl_->event, H_SAVE, impl_->history_file.c_str());
  }
}

void LineEditor::Wake() {
  const std::uint64_t one = 1;
  (void)!::write(impl_->wake_fd, &one, sizeof one);
}

}  // namespace strife::cli
