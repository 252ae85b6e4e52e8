// A cursor over a copy of the rows.
#pragma once

#include <utility>
#include <vector>

#include "env/cursor.h"

namespace strife {

template <typename Row>
class VectorCursor final : public Cursor<Row> {
 public:
  explicit VectorCursor(std::vector<Row> rows) : rows_(std::move(rows)) {}

  Result<std::optional<Row>> Next() override {
    if (next_ == rows_.size()) return std::nullopt;
    return std::optional<Row>(std::move(rows_[next_++]));
  }

 private:
  std::vector<Row> rows_;
  std::size_t next_ = 0;
};

}  // namespace strife
