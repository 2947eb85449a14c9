#include "daemon/config/environment_variables.h"

#include <cstdlib>

#include "base/escaped.h"

namespace outboxd {

Result<std::string> ExpandEnvironment(std::string_view text) {
  std::string out;
  for (std::size_t begin = text.find("${"); begin != std::string_view::npos;
       begin = text.find("${")) {
    out += text.substr(0, begin);
    const std::size_t end = text.find('}', begin);
    if (end == std::string_view::npos) {
      return Fail(ExitCode::kConfiguration, "'{}' lacks a '}}'", Escaped(text.substr(begin)));
    }
    const std::string name(text.substr(begin + 2, end - begin - 2));
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      return Fail(ExitCode::kConfiguration, "the environment variable '{}' is not set",
                  Escaped(name))
          .Hint(
              "outboxd --unit NAME has the variables of a systemd unit, and CREDENTIALS_DIRECTORY "
              "where it has LoadCredential=");
    }
    out += value;
    text.remove_prefix(end + 1);
  }
  out += text;
  return out;
}

}  // namespace outboxd
