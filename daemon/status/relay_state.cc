#include "daemon/status/relay_state.h"

namespace outboxd {

RelayState StateOf(const RelayStatus& status) {
  if (status.parked) return RelayState::kParked;
  if (status.held) return RelayState::kHolding;
  switch (status.phase) {
    case RelayStatus::Phase::kPreparing:
      return RelayState::kPreparing;
    case RelayStatus::Phase::kInitialRead:
      return RelayState::kInitialRead;
    case RelayStatus::Phase::kStreaming:
      return RelayState::kStreaming;
    case RelayStatus::Phase::kStopping:
      break;
  }
  return RelayState::kStopping;
}

std::string_view NameOf(RelayState state) {
  switch (state) {
    case RelayState::kParked:
      return "parked";
    case RelayState::kHolding:
      return "holding";
    case RelayState::kStopping:
      return "stopping";
    case RelayState::kPreparing:
      return "preparing";
    case RelayState::kInitialRead:
      return "initial_read";
    case RelayState::kStreaming:
      return "streaming";
  }
  return "";
}

}  // namespace outboxd
