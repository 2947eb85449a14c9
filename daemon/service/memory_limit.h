#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace outboxd {

// How many bytes the kernel lets this process and its neighbours in the control group have before
// it kills one (MemoryMax= of a unit, the limit of a container): the least limit of the group and
// of those above it, as cgroups(7) of version 2 and 1 tell it. None: there is no limit, or it
// cannot be read. `root`: "" for the machine's own files.
[[nodiscard]] std::optional<std::uint64_t> MemoryLimit(const std::string& root = "");

}  // namespace outboxd
