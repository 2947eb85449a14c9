#pragma once

#include <string>
#include <string_view>

namespace outboxd {

// The Content-Security-Policy under which a browser runs the page's own script and style, known by
// their hashes, and lets them ask the server that the page came from; nothing else at all.
[[nodiscard]] std::string PagePolicy(std::string_view page);

}  // namespace outboxd
