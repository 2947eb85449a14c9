#include "daemon/commands/input_file.h"

#include <utility>

#include "daemon/checkpoint/file_system.h"
#include "daemon/text/escaped.h"

namespace outboxd {

Result<std::string> ReadInputFile(const std::string& path, std::size_t bytes_max) {
  auto text = ReadFile(SystemFiles(), path, bytes_max);
  if (!text) return Fail(ExitCode::kConfiguration, "{}", text.error().message);
  if (!text->has_value()) {
    return Fail(ExitCode::kConfiguration, "{}: no such file", Escaped(path));
  }
  return std::move(**text);
}

}  // namespace outboxd
