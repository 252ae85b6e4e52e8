// Peekable: a cursor whose next row can be looked at before it is taken, which is what merging needs.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "env/cursor.h"

namespace strife::verify {

template <typename Row>
class Peekable {
 public:
  static Result<Peekable> Open(Result<std::unique_ptr<Cursor<Row>>> cursor) {
    if (!cursor) return std::unexpected(std::move(cursor.error()));
    Peekable peekable(std::move(*cursor));
    if (auto first = peekable.Advance(); !first) return std::unexpected(std::move(first.error()));
    return peekable;
  }

  // Null at the end. Holds until Advance or Take.
  const Row* Peek() const { return row_ ? &*row_ : nullptr; }

  Status Advance() {
    auto next = cursor_->Next();
    if (!next) return std::unexpected(std::move(next.error()));
    row_ = std::move(*next);
    return {};
  }

  // REQUIRES: not at the end.
  Result<Row> Take() {
    Row row = std::move(*row_);
    if (auto advanced = Advance(); !advanced) return std::unexpected(std::move(advanced.error()));
    return row;
  }

 private:
  explicit Peekable(std::unique_ptr<Cursor<Row>> cursor) : cursor_(std::move(cursor)) {}

  std::unique_ptr<Cursor<Row>> cursor_;
  std::optional<Row> row_;
};

}  // namespace strife::verify
