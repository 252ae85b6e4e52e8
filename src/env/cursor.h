// Cursor: pulls rows one at a time, so that several scans can be walked side by side in bounded memory.
#pragma once

#include <optional>

#include "base/result.h"

namespace strife {

// For one thread at a time. Holds its snapshot, and whatever the store needs for it, until it is destroyed: a cursor
// that is kept for long keeps the store from reclaiming space.
template <typename Row>
class Cursor {
 public:
  virtual ~Cursor() = default;

  // The next row; nullopt at the end. kMalformed: a row that makes no sense, named in the message; the call after that
  // goes on behind it. After any other error, or the end, the cursor is of no further use.
  virtual Result<std::optional<Row>> Next() = 0;
};

}  // namespace strife
