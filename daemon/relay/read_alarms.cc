#include "daemon/relay/read_alarms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/escaped.h"
#include "daemon/relay/change_watch.h"
#include "daemon/relay/event_position.h"
#include "daemon/service/log_record.h"

namespace outboxd {
namespace {

constexpr const char* kAlarmKind = "initial read";
// So much of an alarm about many rows are their keys.
constexpr std::size_t kNamedKeysBytesMax = 1000;

}  // namespace

Result<void> ReadAlarms::OnTableGone(const std::string& schema_name,
                                     const std::string& table_name) {
  const std::string table = fmt::format("{}.{}", schema_name, table_name);
  return Raise(
      table, fmt::format("table:{}", table),
      fmt::format("table {} is gone, and its initial read was not at its end: rows that were in"
                  " it are lost to the read, but for what the log holds of them",
                  table));
}

Result<void> ReadAlarms::OnDdl(const binlog::Transaction& transaction) {
  return Raise(
      {}, PlaceOf(transaction),
      fmt::format(
          "'{}' while the initial read was under way: rows that were in the table when the"
          " read began and that it had not come to are not in the log and are lost to it",
          transaction.ddl.empty() ? "DROP DATABASE" : Escaped(WithoutLiterals(transaction.ddl))),
      transaction.commit_us);
}

Result<void> ReadAlarms::OnLosses(std::span<const ReadTable> tables,
                                  std::span<const ReadChanges::Loss> losses) {
  for (auto begin = losses.begin(); begin != losses.end();) {
    const auto end = std::find_if(begin, losses.end(), [begin](const ReadChanges::Loss& loss) {
      return loss.table != begin->table;
    });
    if (auto raised = OnLosses(tables[begin->table], std::span(begin, end)); !raised) return raised;
    begin = end;
  }
  return {};
}

// After a restart others can be met together: an alarm stands for the same rows only where its
// position is the same.
Result<void> ReadAlarms::OnLosses(const ReadTable& table,
                                  std::span<const ReadChanges::Loss> losses) {
  const auto key_of = [&table](const ReadChanges::Loss& loss) {
    return loss.key.empty() ? "?" : PositionKey(table.description.key, loss.key);
  };
  std::string keys = Escaped(key_of(losses.front()));
  std::size_t named = 1;
  for (; named < losses.size() && keys.size() < kNamedKeysBytesMax; ++named) {
    keys += ", " + Escaped(key_of(losses[named]));
  }
  if (named < losses.size()) keys += fmt::format(" and {} more", losses.size() - named);
  const bool is_one = losses.size() == 1;
  const std::string place = is_one ? key_of(losses.front())
                                   : fmt::format("{} to {}, {} rows", key_of(losses.front()),
                                                 key_of(losses.back()), losses.size());
  EventPosition position;
  return Raise(
      fmt::format("{}.{}", table.schema_name(), table.table_name()),
      std::string(position.TableRow(table.schema_name(), table.table_name(), place)),
      fmt::format("the {} {} of table {}.{} went before the initial read had delivered {}, and the"
                  " log holds a part of {} only (binlog_row_image): {} may be missing",
                  is_one ? "row with key" : "rows with the keys", keys, table.schema_name(),
                  table.table_name(), is_one ? "it" : "them", is_one ? "it" : "them",
                  is_one ? "it" : "they"));
}

Result<void> ReadAlarms::Raise(std::string_view table, std::string position, std::string text,
                               std::uint64_t commit_us) {
  Log(LogLevel::kError, {.notice = Notice::kReadAlarm, .position = position, .table = table},
      fmt::format("ALARM: {}", text));
  if (alarms_ == nullptr) return {};
  return alarms_->Record({.kind = kAlarmKind,
                          .position = std::move(position),
                          .text = std::move(text),
                          .commit_us = commit_us});
}

}  // namespace outboxd
