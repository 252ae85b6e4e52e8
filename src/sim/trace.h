// Trace: what happened in a run: always as one number, and on demand as the story of one transaction.
//
// The number tells whether two runs were the same. Stories are only written for the id a run was told to follow, so a
// sweep pays nothing for them: the same seed is run again with the id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "sim/violation.h"

namespace strife::sim {

class Trace {
 public:
  // The nil id follows what happens to processes and links alone.
  void Follow(const Uuid& id) { followed_ = id; }
  bool on() const { return followed_.has_value(); }
  bool Follows(const Uuid& id) const { return followed_ && *followed_ == id && !id.IsNil(); }

  // REQUIRES: on().
  void Tell(StoryLine line) { story_.push_back(std::move(line)); }

  void Mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15ull ^ (hash_ >> 29); }

  std::uint64_t hash() const { return hash_; }
  const std::vector<StoryLine>& story() const { return story_; }

 private:
  std::optional<Uuid> followed_;
  std::uint64_t hash_ = 0xcbf29ce484222325ull;
  std::vector<StoryLine> story_;
};

}  // namespace strife::sim
