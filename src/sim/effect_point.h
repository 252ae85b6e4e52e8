// Effect points: the moments at which a process changes something that outlives it. Between two of them nothing a crash
// could undo or leave half done happens, so crashing at each point is crashing everywhere.
//
// A process passes through a stream of numbered points: for each durable commit one before and one after it, one before
// each message it sends, and one when a cycle has ended. The numbers go on across restarts, so that the points after
// that of a crash are those of the recovery.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace strife::sim {

enum class EffectKind : std::uint8_t {
  kCommitBegins,   // a crash here: nothing of the batch is there afterwards
  kCommitDurable,  // a crash here: all of it is there, and nobody has been told
  kSend,           // a crash here: this message and the ones after it are not sent
  kCycleEnds,      // a crash here: everything was sent
};

constexpr std::string_view KindName(EffectKind kind) {
  switch (kind) {
    case EffectKind::kCommitBegins:
      return "before a commit";
    case EffectKind::kCommitDurable:
      return "after a commit";
    case EffectKind::kSend:
      return "before a send";
    case EffectKind::kCycleEnds:
      return "after the sends";
  }
  return "somewhere";
}

struct EffectPoint {
  std::string_view process;  // "gateway1", "bank2", "client1"
  std::uint64_t number = 0;  // from 1, by process
  EffectKind kind = EffectKind::kCommitBegins;
};

enum class Fate : std::uint8_t { kGoOn, kCrash, kPause };

// What happens to a process at a point. Asked once for each point, in order.
using Fates = std::function<Fate(const EffectPoint&)>;

}  // namespace strife::sim
