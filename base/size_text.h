#pragma once

#include <cstdint>
#include <string>

namespace outboxd {

// An amount of bytes for people: "700 bytes", "1.4 MB".
[[nodiscard]] std::string BytesText(std::uint64_t bytes);

}  // namespace outboxd
