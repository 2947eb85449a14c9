#include "daemon/preparation/log_place.h"

#include <fmt/format.h>

#include "binlog/mysql_event_source.h"
#include "daemon/preparation/source_setup.h"

namespace outboxd {
namespace {

// Where the log is, the format, and an event or the server's silence.
constexpr int kFirstEvents = 3;

std::string SetText(std::string_view what, const binlog::GtidSet& gtids) {
  if (gtids.empty()) return {};
  return fmt::format("{} {} transaction{}: {}\n", what, gtids.count(),
                     gtids.count() == 1 ? "" : "s", gtids.ToText());
}

}  // namespace

binlog::Result<void> CheckLogPlace(const MysqlConfig& config, const Progress& progress) {
  binlog::MysqlEventSource source(SourceOptionsOf(config, RandomIdentity()));
  auto opened = source.Open(progress.position, HistoryOf(progress));
  if (!opened) return std::unexpected(opened.error());
  for (int i = 0; i < kFirstEvents; ++i) {
    auto event = source.Next();
    if (!event) return std::unexpected(event.error());
  }
  return {};
}

std::string MoveText(const binlog::Position& from, const binlog::Position& to) {
  if (!from.gtids.empty() || !to.gtids.empty()) {
    return SetText("skips", to.gtids.Minus(from.gtids)) +
           SetText("publishes again", from.gtids.Minus(to.gtids));
  }
  const auto old_place = std::pair(from.file, from.offset);
  const auto new_place = std::pair(to.file, to.offset);
  if (old_place == new_place) return {};
  const bool is_ahead = old_place < new_place;
  const auto& [first, last] = is_ahead ? std::pair(old_place, new_place)
                                       : std::pair(new_place, old_place);
  return fmt::format("{} what stands from {}:{} to {}:{}\n",
                     is_ahead ? "skips" : "publishes again", first.first, first.second, last.first,
                     last.second);
}

}  // namespace outboxd
