// session.json, where a client keeps its tokens.
#include "client/session_file.h"
#include "fuzz.h"
#include "scratch.h"

namespace strife::client {
namespace {

struct DataFolder {
  DataFolder() { STRIFE_ASSERT(session_file.Save(Session{}).has_value()); }  // makes the folder
  fuzz::Scratch scratch;
  SessionFile session_file{scratch / "data"};
};

FUZZ_TARGET(session_file) {
  static const DataFolder folder;
  folder.scratch.Write("data/session.json", input);
  const auto session = folder.session_file.Load();
  if (!session) return fuzz::CheckMessage(session.error().message);
  STRIFE_ASSERT(folder.session_file.Save(*session).has_value());
  const auto again = folder.session_file.Load();
  STRIFE_ASSERT(again.has_value() && *again == *session);
}

}  // namespace
}  // namespace strife::client
