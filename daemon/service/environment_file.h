#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace outboxd {

// The assignments in the text of a file that EnvironmentFile= names, each as "NAME=VALUE", in
// order. They are read as systemd does it: src/basic/env-file.c, parse_env_file_internal(), of
// systemd 252. What systemd would pass over is passed over: a name that is none, and a value that
// is no UTF-8 or holds control characters other than tabs and line feeds.
[[nodiscard]] std::vector<std::string> ParseEnvironmentFile(std::string_view text);

// Whether systemd takes this for the name of a variable.
[[nodiscard]] bool IsVariableName(std::string_view name);

}  // namespace outboxd
