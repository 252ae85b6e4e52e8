// Peekable: a cursor whose next row can be looked at before it is taken, which is what merging needs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "env/cursor.h"

namespace strife::verify {

template <typename Row>
class Peekable {
 public:
  // `malformed` is told about rows that make no sense; they are passed over.
  using Malformed = std::function<void(const Error&)>;

  static Result<Peekable> Open(Result<std::unique_ptr<Cursor<Row>>> cursor, Malformed malformed) {
    if (!cursor) return std::unexpected(std::move(cursor.error()));
    Peekable peekable(std::move(*cursor), std::move(malformed));
    if (auto first = peekable.Advance(); !first) return std::unexpected(std::move(first.error()));
    return peekable;
  }

  // Null at the end. Holds until Advance or Take.
  const Row* Peek() const { return row_ ? &*row_ : nullptr; }

  Status Advance() {
    for (;;) {
      auto next = cursor_->Next();
      if (next) {
        row_ = std::move(*next);
        return {};
      }
      if (next.error().code != ErrorCode::kMalformed) return std::unexpected(std::move(next.error()));
      malformed_(next.error());
    }
  }

  // REQUIRES: not at the end.
  Result<Row> Take() {
    Row row = std::move(*row_);
    if (auto advanced = Advance(); !advanced) return std::unexpected(std::move(advanced.error()));
    return row;
  }

 private:
  Peekable(std::unique_ptr<Cursor<Row>> cursor, Malformed malformed)
      : cursor_(std::move(cursor)), malformed_(std::move(malformed)) {}

  std::unique_ptr<Cursor<Row>> cursor_;
  Malformed malformed_;
  std::optional<Row> row_;
};

}  // namespace strife::verify
