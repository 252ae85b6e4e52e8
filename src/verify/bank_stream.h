// BankStream: one bank's books walked on a thread of their own, its payments handed over in id order.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "verify/bank_books.h"

namespace strife::verify {

// For one thread, which is another one than walks the books.
class BankStream {
 public:
  // Starts walking. `books` is read to the end unless the stream is destroyed before.
  explicit BankStream(std::unique_ptr<BankBooks> books);
  ~BankStream();
  BankStream(const BankStream&) = delete;
  BankStream& operator=(const BankStream&) = delete;

  const std::string& bank_id() const { return books_->bank_id(); }

  // The next payment, null at the end; waits for the walking thread. Holds until Advance.
  const protocol::BankTransactionRecord* Peek();
  // REQUIRES: not at the end.
  void Advance() { ++next_; }

  // REQUIRES: at the end. How the walk ended, and what it found when it ended well.
  Status Finish();
  const BankBooks& books() const { return *books_; }

 private:
  using Chunk = std::vector<protocol::BankTransactionRecord>;

  void Walk(const std::stop_token& stop);
  // False: stopped.
  bool Push(Chunk chunk, const std::stop_token& stop);

  const std::unique_ptr<BankBooks> books_;
  Chunk chunk_;  // of the reading thread, as `next_`
  std::size_t next_ = 0;
  bool ended_ = false;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Chunk> ready_;       // guarded by mutex_, as `walked_`
  std::optional<Status> walked_;  // set when the walk has ended
  std::jthread thread_;           // goes first
};

}  // namespace strife::verify
