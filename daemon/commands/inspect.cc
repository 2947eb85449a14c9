#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "binlog/file_event_source.h"
#include "binlog/mysql_event_source.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/inspector.h"
#include "daemon/commands/progress_bar.h"
#include "daemon/commands/terminal.h"
#include "daemon/config/config_value.h"
#include "daemon/exit_code_of.h"
#include "daemon/preparation/log_place.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/preparation/start_position.h"
#include "daemon/service/process_signals.h"

namespace outboxd {
namespace {

// How far a person's command has come in files that it prints to somewhere else.
class FileBar {
 public:
  explicit FileBar(const std::vector<std::string>& paths) : bar_("of the log", TotalOf(paths)) {}

  void Take(std::size_t bytes) { bar_.Show(done_ += bytes); }

 private:
  static std::uint64_t TotalOf(const std::vector<std::string>& paths) {
    if (IsTerminal(STDOUT_FILENO)) return 0;  // It is seen anyway.
    std::uint64_t total = 0;
    for (const std::string& path : paths) {
      std::error_code error;
      const auto bytes = std::filesystem::file_size(path, error);
      if (!error) total += bytes;
    }
    return total;
  }

  ProgressBar bar_;
  std::uint64_t done_ = 0;
};

// The configured event tables with the columns that the relay reads, so that its verdicts are those
// of the relay; without configuration every table with all columns.
Result<binlog::TableFilter> MakeFilter(const std::optional<Config>& config) {
  if (!config) {
    return binlog::TableFilter({{.schema_pattern = "*",
                                 .table_pattern = "*",
                                 .columns = {},
                                 .declared_columns = {},
                                 .whole_row = binlog::WholeRow::kNumbered}});
  }
  auto tables = CompileEventTables(*config);
  if (!tables) return std::unexpected(tables.error());
  return binlog::TableFilter(std::move(tables->selections));
}

// `bar`: of the bytes of the files, null where a server's log is read. What ends within an event of
// a file ends within a transaction too.
Result<void> Read(binlog::EventSource& source, const binlog::Position& from, std::uint64_t begin,
                  FileBar* bar, Inspector& inspector) {
  ProcessSignals signals;
  auto stream = source.Open(from, {});
  if (!stream) return std::unexpected(AsDaemonError(stream.error()));
  inspector.Begin(*stream, from, begin);
  while (!signals.StopArrived()) {
    auto event = source.Next();
    if (!event) {
      const bool is_end = event.error().kind == binlog::ErrorKind::kEnd;
      if (is_end || (bar != nullptr && event.error().kind == binlog::ErrorKind::kCorrupt))
        inspector.End();
      if (is_end) break;
      return std::unexpected(AsDaemonError(event.error()));
    }
    if (auto taken = inspector.Take(*event); !taken) return taken;
    std::fflush(stdout);
    if (bar != nullptr) bar->Take(event->size());
  }
  return {};
}

Result<void> InspectServer(const Config& config, const std::string& place, Inspector& inspector) {
  auto start = ParseStart(place.empty() ? "now" : place);
  if (!start) return Fail(start.error().As(ExitCode::kUsage), "--from");
  if (auto typed = CheckTypedPlace(config.mysql, *start); !typed) return typed;
  auto asked = AskServer(config.mysql);
  if (!asked) return std::unexpected(AsDaemonError(asked.error()));
  auto progress = ResolveStart(*start, asked->facts, asked->server);
  if (!progress) return std::unexpected(progress.error());
  binlog::MysqlEventSource source(SourceOptionsOf(config.mysql, RandomIdentity()));
  return Read(source, progress->position, 0, nullptr, inspector);
}

}  // namespace

Result<void> InspectCommand(const std::optional<Config>& config, const CommandLine& line) {
  auto filter = MakeFilter(config);
  if (!filter) return std::unexpected(filter.error());
  const binlog::CharacterSets character_sets;
  if (line.server) {
    if (!config || !line.words.empty()) {
      return Fail(ExitCode::kUsage, "usage: outboxd inspect --server --config FILE [--from PLACE]");
    }
    Inspector inspector(*filter, character_sets);
    auto done = InspectServer(*config, line.from, inspector);
    inspector.PrintSummary();
    return done;
  }
  if (line.words.empty()) {
    return Fail(ExitCode::kUsage,
                "usage: outboxd inspect BINLOG ... [--config FILE] [--from OFFSET] | inspect"
                " --server --config FILE [--from PLACE]");
  }
  auto begin = line.from.empty() ? Parsed<std::uint64_t>(0) : ParseOffset(line.from);
  if (!begin) return Fail(begin.error().As(ExitCode::kUsage), "--from");
  Inspector inspector(*filter, character_sets);
  FileBar bar(line.words);
  for (const std::string& path : line.words) {
    binlog::FileEventSource source(path);
    const binlog::Position from{
        .gtids = {}, .file = std::filesystem::path(path).filename(), .offset = 4};
    auto read = Read(source, from, *begin, &bar, inspector);
    if (!read) {
      inspector.PrintSummary();
      return read;
    }
    begin = 0;
  }
  inspector.PrintSummary();
  return {};
}

}  // namespace outboxd
