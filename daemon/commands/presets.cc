#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "base/escaped.h"
#include "daemon/commands/commands.h"
#include "daemon/config/presets.h"

namespace outboxd {
namespace {

void PrintSettings(std::span<const Preset::Setting> settings, std::string_view indent) {
  for (const Preset::Setting& setting : settings) {
    fmt::print("{}{} = {}\n", indent, setting.key, setting.value);
  }
}

}  // namespace

void PresetsCommand() {
  for (const Preset& preset : Presets()) {
    fmt::print("{}: {}\n  {}\n\n{}\n\n", preset.name, preset.layout, preset.sending, preset.sql);
    PrintSettings(preset.settings, "  ");
    fmt::print("\n");
  }
}

namespace {

struct TableName {
  std::string schema, table;
};

// Needs no quotes in SQL.
bool IsPlain(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
  });
}

// "schema.table", or a schema of the example's where it has none.
Result<TableName> NameOf(const CommandLine& line, const Preset& preset) {
  if (line.table.empty()) return TableName{"shop", std::string(preset.table)};
  const std::size_t dot = line.table.find('.');
  TableName name{line.table.substr(0, dot),
                 dot == std::string::npos ? "" : line.table.substr(dot + 1)};
  if (IsPlain(name.schema) && IsPlain(name.table)) return name;
  return Fail(ExitCode::kUsage,
              "--table {}: not in the form SCHEMA.TABLE, of letters, digits, _ and $",
              Escaped(line.table));
}

// The preset's CREATE TABLE with another name for the table.
std::string SqlFor(const Preset& preset, const TableName& name) {
  std::string sql(preset.sql);
  const std::string created = fmt::format("CREATE TABLE {} (", preset.table);
  const std::size_t at = sql.find(created);
  if (at != std::string::npos) {
    sql.replace(at, created.size(), fmt::format("CREATE TABLE {}.{} (", name.schema, name.table));
  }
  return sql;
}

}  // namespace

Result<void> InitCommand(const CommandLine& line) {
  const std::string preset_name = line.preset.empty() ? "debezium" : line.preset;
  const Preset* preset = FindPreset(preset_name);
  if (preset == nullptr) {
    return Fail(ExitCode::kUsage, "there is no preset '{}'", preset_name).Hint("{}", PresetNames());
  }
  const auto table = NameOf(line, *preset);
  if (!table) return std::unexpected(table.error());
  const std::string relay = line.name.empty() ? table->schema : line.name;
  fmt::print("-- {}: {}; {}\n\n", preset->name, preset->layout, preset->sending);
  fmt::print(
      "-- MySQL: the log names its columns. log_bin = ON, binlog_format = ROW and binlog_row_image "
      "="
      " FULL\n-- are the defaults; gtid_mode = ON lets positions survive a failover.\n"
      "SET PERSIST binlog_row_metadata = FULL;\n\n"
      "-- The event table, in the application's database.\n{}\n\n",
      SqlFor(*preset, *table));
  fmt::print(
      "-- The account. Choose a password. Without XA transactions the last line is not needed.\n"
      "CREATE USER outboxd@'%' IDENTIFIED BY '...';\n"
      "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO outboxd@'%';\n"
      "GRANT SELECT ON {}.{} TO outboxd@'%';\n"
      "GRANT XA_RECOVER_ADMIN ON *.* TO outboxd@'%';\n\n",
      table->schema, table->table);
  fmt::print(
      "/* /etc/outboxd/{0}.conf\n\n[relay]\nname = {0}\n\n[mysql]\nhost = 127.0.0.1\n"
      "user = outboxd\npassword-file = /etc/outboxd/{0}.password\n\n[outbox]\n"
      "table = {1}.{2}\npreset = {3}\n",
      relay, table->schema, table->table, preset->name);
  fmt::print("# which stands for these settings; each can be given another value here:\n");
  PrintSettings(preset->settings, "#   ");
  if (!preset->offers.empty()) {
    fmt::print("# This would send what no part of the message has so far:\n");
    PrintSettings(preset->offers, "#   ");
  }
  fmt::print(
      "\n{}\n[delivery]\n# What is in the table, then everything new; 'now': only what is new.\n"
      "start = table\n*/\n",
      SinkFamilies().front()->example());
  return {};
}

}  // namespace outboxd
