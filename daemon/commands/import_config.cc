#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "base/escaped.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/input_file.h"
#include "daemon/config/config_reader.h"
#include "daemon/migration/debezium_config.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/preparation/source_setup.h"

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

// What no relay would take is said here, not only when it is to run.
Result<void> Check(const std::string& text) {
  const auto config = ReadConfigText(text, "the configuration above");
  if (!config) return std::unexpected(config.error());
  if (const auto tables = CompileEventTables(*config); !tables) {
    return std::unexpected(tables.error());
  }
  if (const auto sink = MakeSink(*config); !sink) return std::unexpected(sink.error());
  return {};
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
  // They stand in the text as well, which a terminal shows.
  if (isatty(STDOUT_FILENO) == 0) {
    for (const std::string& note : imported->notes) fmt::print(stderr, "note: {}\n", note);
  }
  constexpr std::string_view kToBeMended = "to be mended before a relay can run with this";
  if (!imported->missing.empty()) {
    return Fail(ExitCode::kConfiguration, "{}: {}", kToBeMended,
                fmt::join(imported->missing, "; "));
  }
  if (auto good = Check(imported->text); !good) return Fail(good.error(), "{}", kToBeMended);
  return {};
}

}  // namespace outboxd
