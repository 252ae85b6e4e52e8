#include "verify/bank_stream.h"

#include <utility>

namespace strife::verify {
namespace {

constexpr std::size_t kChunkPayments = 1024;
constexpr std::size_t kReadyChunks = 4;  // walked ahead at most: half a megabyte or so

}  // namespace

BankStream::BankStream(std::unique_ptr<BankBooks> books)
    : books_(std::move(books)), thread_([this](const std::stop_token& stop) { Walk(stop); }) {}

BankStream::~BankStream() = default;

void BankStream::Walk(const std::stop_token& stop) {
  Chunk chunk;
  chunk.reserve(kChunkPayments);
  Status walked = books_->Walk([&](protocol::BankTransactionRecord payment) {
    chunk.push_back(std::move(payment));
    if (chunk.size() < kChunkPayments) return true;
    return Push(std::exchange(chunk, {}), stop);
  });
  Push(std::move(chunk), stop);
  const std::scoped_lock lock(mutex_);
  walked_ = std::move(walked);
  changed_.notify_all();
}

bool BankStream::Push(Chunk chunk, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [&] { return ready_.size() < kReadyChunks; })) return false;
  ready_.push_back(std::move(chunk));
  changed_.notify_all();
  return true;
}

const protocol::BankTransactionRecord* BankStream::Peek() {
  while (next_ == chunk_.size() && !ended_) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty() || walked_.has_value(); });
    ended_ = ready_.empty();
    if (ended_) break;
    chunk_ = std::move(ready_.front());
    next_ = 0;
    ready_.pop_front();
    changed_.notify_all();
  }
  return next_ < chunk_.size() ? &chunk_[next_] : nullptr;
}

Status BankStream::Finish() {
  const std::scoped_lock lock(mutex_);
  return *walked_;
}

}  // namespace strife::verify
