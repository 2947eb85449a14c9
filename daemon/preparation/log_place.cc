#include "daemon/preparation/log_place.h"

#include <fmt/format.h>

#include <algorithm>

#include "binlog/log_file_name.h"
#include "binlog/mysql_event_source.h"
#include "binlog/mysql_log.h"
#include "binlog/transaction_reader.h"
#include "daemon/exit_code_of.h"
#include "daemon/preparation/source_setup.h"

namespace outboxd {
namespace {

// Where the log is, the format, what is before the file, and an event or the server's silence.
constexpr int kFirstEventsMax = 10;

// A place in a file alone: which transactions stand in front of it is not known.
bool IsByFile(const binlog::Position& position) {
  return position.gtids.empty() && !position.file.empty();
}

std::string SetText(std::string_view what, const binlog::GtidSet& gtids,
                    std::string_view how = {}) {
  if (gtids.empty()) return {};
  return fmt::format("the next run will {} {} transaction{}{}: {}\n", what, gtids.count(),
                     gtids.count() == 1 ? "" : "s", how, gtids.ToText());
}

}  // namespace

binlog::Result<void> CheckLogPlace(const MysqlConfig& config, const Progress& progress) {
  using Outcome = binlog::TransactionReader::Outcome;
  binlog::MysqlEventSourceOptions options = SourceOptionsOf(config, RandomIdentity());
  options.asks_once = true;
  binlog::MysqlEventSource source(std::move(options));
  auto opened = source.Open(progress.position, HistoryOf(progress));
  if (!opened) return std::unexpected(opened.error());
  const binlog::TableFilter no_tables({});
  binlog::TransactionReader reader(no_tables, {});
  reader.Reset(*opened, progress.position);
  for (int i = 0; i < kFirstEventsMax; ++i) {
    auto event = source.Next();
    if (!event) return std::unexpected(reader.Explained(event.error()));
    auto outcome = reader.Feed(*event);
    if (!outcome) return std::unexpected(reader.Explained(outcome.error()));
    if (*outcome == Outcome::kIdle || *outcome == Outcome::kTransaction) break;
    if (reader.open_transaction() != nullptr) break;
  }
  return {};
}

std::optional<std::string> WhyNoPlace(const std::vector<binlog::LogFile>& files,
                                      const std::string& file, std::uint64_t offset) {
  if (files.empty()) return std::nullopt;
  const auto found = std::ranges::find(files, file, &binlog::LogFile::name);
  if (found == files.end()) {
    if (binlog::IsBefore(file, files.front().name)) return std::nullopt;
    return fmt::format("there is no binary log {} on the server: it has {}{}", file,
                       files.front().name,
                       files.size() == 1 ? "" : fmt::format(" to {}", files.back().name));
  }
  if (found->end_offset == 0 || offset <= found->end_offset) return std::nullopt;
  return fmt::format("{} has {} bytes, there is no place {} in it", file, found->end_offset,
                     offset);
}

Result<void> CheckTypedPlace(const MysqlConfig& config, const StartChoice& start) {
  if (start.kind != StartChoice::Kind::kFile) return {};
  auto asked = AskServer(config);
  if (!asked) return std::unexpected(AsDaemonError(asked.error()));
  const auto files = binlog::AskForLogFiles(asked->server.connection());
  if (!files) return std::unexpected(AsDaemonError(files.error()));
  const auto why = WhyNoPlace(*files, start.file, start.offset);
  return why ? Fail(ExitCode::kUsage, "{}", *why) : Result<void>();
}

std::string MoveText(const binlog::Position& from, const binlog::Position& to) {
  if (!IsByFile(from) && !IsByFile(to)) {
    return SetText("skip", to.gtids.Minus(from.gtids)) +
           SetText("publish", from.gtids.Minus(to.gtids), " again");
  }
  if (from.file.empty() || to.file.empty()) {
    return "what the next run will skip or publish again cannot be told: one of the places is in a"
           " file, the other one a set of GTIDs\n";
  }
  const auto old_place = std::pair(from.file, from.offset);
  const auto new_place = std::pair(to.file, to.offset);
  if (old_place == new_place) return {};
  const bool is_ahead = old_place < new_place;
  const auto& [first, last] =
      is_ahead ? std::pair(old_place, new_place) : std::pair(new_place, old_place);
  return fmt::format("the next run will {} what stands from {}:{} to {}:{}{}\n",
                     is_ahead ? "skip" : "publish", first.first, first.second, last.first,
                     last.second, is_ahead ? "" : " again");
}

}  // namespace outboxd
