#include "cli/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace strife::cli {
namespace {

termios before;  // of standard input, while a screen is open on it

void Write(const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (written <= 0) return;  // the terminal is gone
    done += static_cast<std::size_t>(written);
  }
}

}  // namespace

Result<Screen> Screen::Open() {
  if (::isatty(STDOUT_FILENO) != 1) {
    return Fail(ErrorCode::kInvalidInput,
                "this needs a terminal to draw on; strife status prints the same once, strife status --output json "
                "for programs");
  }
  const bool has_input = ::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (has_input) {
    termios keys = before;
    keys.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO));  // Ctrl-C stays a signal
    ::tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  }
  Write("\033[?1049h\033[?25l\033[2J");
  return Screen(has_input);
}

Screen::Screen(Screen&& other) noexcept : open_(std::exchange(other.open_, false)), has_input_(other.has_input_) {}

Screen::~Screen() {
  if (!open_) return;
  Write("\033[?25h\033[?1049l");
  if (has_input_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

Screen::Size Screen::size() const {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) return {};
  return {window.ws_col, window.ws_row};
}

void Screen::Show(const std::vector<std::string>& lines) {
  std::string text = "\033[H";
  const std::size_t rows = std::min(lines.size(), size().rows);
  for (std::size_t i = 0; i < rows; ++i) text += lines[i] + "\033[K" + (i + 1 < rows ? "\r\n" : "");
  Write(text + "\033[J");
}

char Screen::Key(Duration patience) {
  pollfd waiting{STDIN_FILENO, POLLIN, 0};
  const auto milliseconds = static_cast<int>(patience / std::chrono::milliseconds(1));
  if (::poll(&waiting, has_input_ ? 1 : 0, milliseconds) <= 0 || (waiting.revents & POLLIN) == 0) return 0;
  char key = 0;
  return ::read(STDIN_FILENO, &key, 1) == 1 ? key : '\0';
}

}  // namespace strife::cli
