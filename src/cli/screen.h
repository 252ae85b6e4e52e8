// Screen: the whole terminal for one program, as it was before when the program is done with it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace strife::cli {

// One at a time. Plain ANSI: the alternate screen, no cursor, no echo. Gives the terminal back when it is destroyed, or
// when the process ends by std::exit; make an Interrupt before it, so that signals end it that way.
class Screen {
 public:
  // kInvalidInput unless standard output is a terminal.
  static Result<Screen> Open();
  Screen(Screen&& other) noexcept;
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  Screen& operator=(Screen&&) = delete;
  ~Screen();

  struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
    bool operator==(const Size&) const = default;
  };
  Size size() const;

  // Shows these lines and nothing else; those that do not fit are cut off.
  void Show(const std::vector<std::string>& lines);
  // The next key that was typed, waiting so long for it; 0 when there was none.
  char Key(Duration patience);

 private:
  explicit Screen(bool has_input) : open_(true), has_input_(has_input) {}

  bool open_;
  bool has_input_;
};

}  // namespace strife::cli
