#include "http2/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "http2/connection.h"

namespace strife::http2 {
namespace {

// So that the loop can begin with the first while the last are still being made.
constexpr std::size_t kTogether = 128;

thread_local Mailbox::Together* together = nullptr;

}  // namespace

Mailbox::Mailbox() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Mailbox::Together::Together() { together = this; }

Mailbox::Together::~Together() {
  together = nullptr;
  Deliver();
}

void Mailbox::Together::Deliver() {
  while (!answers_.empty()) {
    Mailbox& box = answers_.front().call->mailbox();
    const auto others =
        std::ranges::stable_partition(answers_, [&](const Answer& a) { return &a.call->mailbox() == &box; });
    std::vector<Answer> rest(std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
    answers_.erase(others.begin(), others.end());
    box.Put(answers_);
    answers_ = std::move(rest);
  }
}

void Mailbox::Post(Answer answer) {
  if (together != nullptr) {
    together->answers_.push_back(std::move(answer));
    if (together->answers_.size() >= kTogether) together->Deliver();
    return;
  }
  std::vector<Answer> one;
  one.push_back(std::move(answer));
  Put(one);
}

void Mailbox::Put(std::vector<Answer>& answers) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;  // not cleared under the lock: a call may be the last to have the box
    std::ranges::move(answers, std::back_inserter(mail_.answers));
    if (std::exchange(woken_, true)) return;
  }
  Wake();
}

void Mailbox::Post(std::unique_ptr<Connection> newcomer) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    mail_.newcomers.push_back(std::move(newcomer));
  }
  Wake();
}

void Mailbox::Close() {
  Mail dropped;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  std::swap(dropped, mail_);
}

void Mailbox::Wake() {
  const std::uint64_t one = 1;
  // Fails only when it is to wake up anyway.
  static_cast<void>(write(event_.get(), &one, sizeof one) == sizeof one);
}

Mailbox::Mail Mailbox::Take() {
  std::uint64_t ignored = 0;
  static_cast<void>(read(event_.get(), &ignored, sizeof ignored) == sizeof ignored);
  const std::lock_guard lock(mutex_);
  woken_ = false;
  return std::exchange(mail_, {});
}

}  // namespace strife::http2
