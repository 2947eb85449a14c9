#pragma once

#include <string_view>

namespace outboxd {

// docs/commands.md, which is a part of the program. Lives as long as the process.
[[nodiscard]] std::string_view CommandsPageText();

}  // namespace outboxd
