#include "daemon/commands/checkpoint_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/escaped.h"
#include "base/time_text.h"
#include "daemon/relay/read_table.h"

namespace outboxd {

std::string KnownTimeText(std::uint64_t microseconds) {
  return microseconds == 0 ? "-" : TimeText(microseconds);
}

namespace {

std::string KeyText(const TableReadState& table) {
  std::string text;
  for (const ReadKeyPart& part : table.last_key) {
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", part.column, Escaped(part.value));
  }
  return text;
}

std::string ReadText(const TableReadState& table) {
  if (!HasBegun(table)) return "not begun";
  return fmt::format("{} rows, {}", table.rows, table.is_done ? "done" : "up to " + KeyText(table));
}

std::string ReadLines(const std::optional<InitialRead>& read) {
  if (!read) return "table read    done\n";
  const bool has_begun = std::ranges::any_of(read->tables, HasBegun);
  std::string text = fmt::format("table read    {}\n", has_begun ? "under way" : "not begun");
  for (const TableReadState& table : read->tables) {
    text += fmt::format("  {}.{}  {}\n", Escaped(table.schema_name), Escaped(table.table_name),
                        ReadText(table));
  }
  return text;
}

}  // namespace

std::string CheckpointText(const Checkpoint& checkpoint) {
  std::string text = fmt::format("relay         {}\n", checkpoint.relay);
  text += fmt::format("event tables  {}\n", fmt::join(checkpoint.tables, ", "));
  text += fmt::format("server        {}\n", checkpoint.server_uuid);
  text += fmt::format("gtids         {}\n",
                      checkpoint.position.gtids.empty() ? "-" : checkpoint.position.gtids.ToText());
  const binlog::Position& at = checkpoint.position;
  text += fmt::format("file, offset  {}\n",
                      at.file.empty() ? "-" : fmt::format("{}:{}", at.file, at.offset));
  text += fmt::format("last commit   {}\n", KnownTimeText(checkpoint.last_commit_us));
  if (const auto& part = checkpoint.part) {
    text +=
        fmt::format("behind it     the first {} rows of transaction {}\n", part->rows, part->place);
  }
  text += fmt::format("sink          {}\n", checkpoint.sink.empty() ? "-" : checkpoint.sink);
  text += ReadLines(checkpoint.read);
  for (const HeldXa& held : checkpoint.held_xa) {
    text += fmt::format("held XA       {}  {}  {}\n", held.place, KnownTimeText(held.since_us),
                        held.xid);
  }
  text += fmt::format("written       {}\n", KnownTimeText(checkpoint.written_at_us));
  return text;
}

}  // namespace outboxd
