// ReaderPool: read-only connections with their statements, lent to one thread at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.h"

namespace strife::sqlite {

// `Connection` offers: static Result<std::unique_ptr<Connection>> Open(const std::filesystem::path&).
// There come to be as many connections as calls were ever made at once.
template <typename Connection>
class ReaderPool : public std::enable_shared_from_this<ReaderPool<Connection>> {
 public:
  // Goes back to the pool when it is destroyed, and keeps the pool alive until then.
  class Lease {
   public:
    Lease(std::shared_ptr<ReaderPool> pool, std::unique_ptr<Connection> connection)
        : pool_(std::move(pool)), connection_(std::move(connection)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_) pool_->GiveBack(std::move(connection_));
    }
    Connection* operator->() const { return connection_.get(); }

   private:
    std::shared_ptr<ReaderPool> pool_;
    std::unique_ptr<Connection> connection_;
  };

  // Opens the first connection, so that a file that cannot be read is noticed now.
  static Result<std::shared_ptr<ReaderPool>> Open(std::filesystem::path file) {
    std::shared_ptr<ReaderPool> pool(new ReaderPool(std::move(file)));
    if (auto first = pool->Take(); !first) return std::unexpected(std::move(first.error()));
    return pool;
  }

  Result<Lease> Take() {
    std::unique_ptr<Connection> connection;
    {
      const std::scoped_lock lock(mutex_);
      if (!idle_.empty()) {
        connection = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (!connection) {
      auto opened = Connection::Open(file_);
      if (!opened) return std::unexpected(std::move(opened.error()));
      connection = std::move(*opened);
    }
    return Lease(this->shared_from_this(), std::move(connection));
  }

 private:
  explicit ReaderPool(std::filesystem::path file) : file_(std::move(file)) {}

  void GiveBack(std::unique_ptr<Connection> connection) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(connection));
  }

  const std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
};

}  // namespace strife::sqlite
