#include "daemon/commands/checkpoint_text.h"

#include <fmt/core.h>
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

void PrintRead(const std::optional<InitialRead>& read) {
  if (!read) {
    fmt::print("table read    done\n");
    return;
  }
  const bool has_begun = std::ranges::any_of(read->tables, HasBegun);
  fmt::print("table read    {}\n", has_begun ? "under way" : "not begun");
  for (const TableReadState& table : read->tables) {
    fmt::print("  {}.{}  {}\n", Escaped(table.schema_name), Escaped(table.table_name),
               ReadText(table));
  }
}

}  // namespace

void PrintCheckpoint(const Checkpoint& checkpoint) {
  fmt::print("relay         {}\n", checkpoint.relay);
  fmt::print("event tables  {}\n", fmt::join(checkpoint.tables, ", "));
  fmt::print("server        {}\n", checkpoint.server_uuid);
  fmt::print("gtids         {}\n",
             checkpoint.position.gtids.empty() ? "-" : checkpoint.position.gtids.ToText());
  const binlog::Position& at = checkpoint.position;
  fmt::print("file, offset  {}\n",
             at.file.empty() ? "-" : fmt::format("{}:{}", at.file, at.offset));
  fmt::print("last commit   {}\n", KnownTimeText(checkpoint.last_commit_us));
  if (const auto& part = checkpoint.part) {
    fmt::print("behind it     the first {} rows of transaction {}\n", part->rows, part->place);
  }
  fmt::print("sink          {}\n", checkpoint.sink.empty() ? "-" : checkpoint.sink);
  PrintRead(checkpoint.read);
  for (const HeldXa& held : checkpoint.held_xa) {
    fmt::print("held XA       {}  {}  {}\n", held.place, KnownTimeText(held.since_us), held.xid);
  }
  fmt::print("written       {}\n", KnownTimeText(checkpoint.written_at_us));
}

}  // namespace outboxd
