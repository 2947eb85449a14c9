#pragma once

#include <array>
#include <string_view>

#include "daemon/status/relay_status.h"

namespace outboxd {

// What a relay is doing, in one word: the first of these that holds.
enum class RelayState { kParked, kHolding, kStopping, kPreparing, kInitialRead, kStreaming };

inline constexpr std::array kRelayStates = {RelayState::kParked,      RelayState::kHolding,
                                            RelayState::kStopping,    RelayState::kPreparing,
                                            RelayState::kInitialRead, RelayState::kStreaming};

[[nodiscard]] RelayState StateOf(const RelayStatus& status);
// "initial_read"; lives as long as the process.
[[nodiscard]] std::string_view NameOf(RelayState state);

}  // namespace outboxd
