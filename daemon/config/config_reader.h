#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/error.h"

namespace outboxd {

// Reads the configuration of one relay from the INI file at `path` (empty: none) and from the
// command line. Each of `overrides` is "--section.key=value", or "--section.key" followed by an
// element with the value; a key that stands there counts instead of the file's, a repeatable one
// with all its values. Secrets are refused there, as others can read the command line.
//
// kConfiguration, with every mistake that was found, each on a line of its own in the form
// "path:line: section.key: what is wrong HINT: what to do".
[[nodiscard]] Result<Config> ReadConfig(const std::string& path,
                                        const std::vector<std::string>& overrides);

// The same of the file's contents; `name` stands for its path in messages.
[[nodiscard]] Result<Config> ReadConfigText(std::string_view text, const std::string& name);

}  // namespace outboxd
