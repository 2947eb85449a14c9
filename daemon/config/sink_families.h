#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sinks/sink_family.h"

namespace outboxd {

// The families of sinks of this version, as `sink.type` names them: the one table that lists them.
// The first is the default.
[[nodiscard]] std::span<const sinks::SinkFamily* const> SinkFamilies();

// Null: there is none of this name.
[[nodiscard]] const sinks::SinkFamily* FindSinkFamily(std::string_view name);

// "kafka, stdout"
[[nodiscard]] const std::string& SinkFamilyNames();

// The family that reads this key; null: it is none of a sink.
[[nodiscard]] const sinks::SinkFamily* FindFamilyOfKey(std::string_view section,
                                                       std::string_view key);

}  // namespace outboxd
