#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outboxd {

inline constexpr std::string_view kLowerHexDigits = "0123456789abcdef";
inline constexpr std::string_view kUpperHexDigits = "0123456789ABCDEF";

// Appends two digits for each byte.
void AppendHex(std::string_view bytes, std::string& out, std::string_view digits = kLowerHexDigits);
// The bytes of what AppendHex() makes of them; none: it does not make that.
[[nodiscard]] std::optional<std::string> BytesOfHex(std::string_view hex);

}  // namespace outboxd
