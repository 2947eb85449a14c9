#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace outboxd {

// RFC 4648 section 4: padded, without line breaks.

[[nodiscard]] constexpr std::size_t Base64Size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

// Writes Base64Size() characters; returns where they end.
char* WriteBase64(std::string_view bytes, char* to);

void AppendBase64(std::string_view bytes, std::string& out);
[[nodiscard]] std::string Base64(std::string_view bytes);

}  // namespace outboxd
