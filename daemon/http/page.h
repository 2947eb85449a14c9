#pragma once

#include <string_view>

namespace outboxd {

// page.html, as the build found it.
[[nodiscard]] std::string_view PageText();

}  // namespace outboxd
