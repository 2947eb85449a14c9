#pragma once

#include <string>
#include <string_view>

#include "daemon/error.h"

namespace outboxd {

// `text` with the value of the environment variable NAME in place of each ${NAME}. What a value
// holds is not looked at again. kConfiguration, with what cannot be replaced: a variable that is
// not set, or a "${" without its '}'.
[[nodiscard]] Result<std::string> ExpandEnvironment(std::string_view text);

}  // namespace outboxd
