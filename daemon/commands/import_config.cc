#include <fmt/core.h>

#include "daemon/commands/commands.h"
#include "daemon/commands/input_file.h"
#include "daemon/migration/debezium_config.h"
#include "daemon/service/log.h"

namespace outboxd {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;

Result<Properties> ReadOptions(const std::string& path) {
  auto text = ReadInputFile(path, kFileBytesMax);
  if (!text) return std::unexpected(text.error());
  auto options = ParseConnectorOptions(*text);
  if (!options) return Fail(options.error(), "{}", Escaped(path));
  return options;
}

}  // namespace

Result<void> ImportConfigCommand(const CommandLine& line) {
  if (line.words.empty() || line.words.size() > 2) {
    return Fail(ExitCode::kUsage, "usage: outboxd import-config CONNECTOR-FILE [WORKER-FILE]");
  }
  const auto connector = ReadOptions(line.words[0]);
  if (!connector) return std::unexpected(connector.error());
  const auto worker = line.words.size() == 2 ? ReadOptions(line.words[1]) : Properties{};
  if (!worker) return std::unexpected(worker.error());
  const auto imported = ImportDebeziumConfig(*connector, *worker);
  if (!imported) return Fail(imported.error(), "{}", Escaped(line.words[0]));
  fmt::print("{}", imported->text);
  for (const std::string& note : imported->notes) fmt::print(stderr, "note: {}\n", note);
  return {};
}

}  // namespace outboxd
