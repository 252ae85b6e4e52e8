// Mailbox: what other threads have for the thread of a loop.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "http2/call.h"
#include "http2/sockets.h"

namespace strife::http2 {

class Connection;

// Thread-safe.
class Mailbox {
 public:
  Mailbox();

  void Post(Answer answer);
  void Post(std::unique_ptr<Connection> newcomer);
  // Wakes the loop up.
  void Wake();
  // The loop has ended: what is there, and what is still posted, is dropped. Answers would keep their calls, and calls
  // keep the box.
  void Close();

  // While it lives, what the thread posts is put into the boxes many at a time: then a loop wakes up once for all of
  // them, and what it writes on a connection leaves together. One at a time in each thread.
  class Together {
   public:
    Together();
    ~Together();
    Together(const Together&) = delete;
    Together& operator=(const Together&) = delete;

   private:
    friend class Mailbox;
    void Deliver();
    std::vector<Answer> answers_;
  };

  struct Mail {
    std::vector<Answer> answers;
    std::vector<std::unique_ptr<Connection>> newcomers;
  };
  // For the loop: all there is.
  Mail Take();
  // Becomes readable when there is something; cleared by Take.
  int descriptor() const { return event_.get(); }

 private:
  void Put(std::vector<Answer>& answers);

  Descriptor event_;
  std::mutex mutex_;
  Mail mail_;           // guarded by mutex_, as below
  bool woken_ = false;  // the loop has been told and has not looked yet
  bool closed_ = false;
};

}  // namespace strife::http2
