#include "daemon/commands/input_file.h"

#include <utility>

#include "base/escaped.h"
#include "daemon/checkpoint/file_system.h"

namespace outboxd {

Result<std::string> ReadInputFile(const std::string& path, std::size_t bytes_max) {
  auto text = ReadFile(SystemFiles(), path, bytes_max);
  if (!text) return std::unexpected(text.error().As(ExitCode::kConfiguration));
  if (!text->has_value()) {
    return Fail(ExitCode::kConfiguration, "{}: no such file", Escaped(path));
  }
  return std::move(**text);
}

}  // namespace outboxd
