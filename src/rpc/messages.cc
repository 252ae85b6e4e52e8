#include "rpc/messages.h"

#include <google/protobuf/stubs/logging.h>

namespace strife::rpc {

void QuietProtobuf() {
  static const auto before = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(before);
}

}  // namespace strife::rpc
