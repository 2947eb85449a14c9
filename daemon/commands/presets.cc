#include <fmt/core.h>

#include "daemon/commands/commands.h"
#include "daemon/config/presets.h"

namespace outboxd {
namespace {

void PrintSettings(const Preset& preset, std::string_view indent) {
  for (const Preset::Setting& setting : preset.settings) {
    fmt::print("{}{} = {}\n", indent, setting.key, setting.value);
  }
}

}  // namespace

void PresetsCommand() {
  for (const Preset& preset : Presets()) {
    fmt::print("{}: {}\n  {}\n\n{}\n\n", preset.name, preset.layout, preset.sending, preset.sql);
    PrintSettings(preset, "  ");
    fmt::print("\n");
  }
}

Result<void> InitCommand(const CommandLine& line) {
  const std::string name = line.preset.empty() ? "debezium" : line.preset;
  const Preset* preset = FindPreset(name);
  if (preset == nullptr) {
    return Fail(ExitCode::kUsage, "there is no preset '{}' HINT: {}", name, PresetNames());
  }
  fmt::print("-- {}: {}; {}\n\n", preset->name, preset->layout, preset->sending);
  fmt::print(
      "-- MySQL: the log names its columns. log_bin = ON, binlog_format = ROW and binlog_row_image "
      "="
      " FULL\n-- are the defaults; gtid_mode = ON lets positions survive a failover.\n"
      "SET PERSIST binlog_row_metadata = FULL;\n\n"
      "-- The event table, in the application's database.\n{}\n\n",
      preset->sql);
  fmt::print(
      "-- The account. Choose a password, name the database.\n"
      "CREATE USER outboxd@'%' IDENTIFIED BY '...';\n"
      "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO outboxd@'%';\n"
      "GRANT SELECT ON `DATABASE`.`{}` TO outboxd@'%';\n\n",
      preset->table);
  fmt::print(
      "/* /etc/outboxd/NAME.conf\n\n[relay]\nname = NAME\n\n[mysql]\nhost = 127.0.0.1\n"
      "user = outboxd\npassword-file = /etc/outboxd/NAME.password\n\n[outbox]\n"
      "table = DATABASE.{}\npreset = {}\n",
      preset->table, preset->name);
  fmt::print("# which stands for these settings; each can be given another value here:\n");
  PrintSettings(*preset, "#   ");
  fmt::print("\n[kafka]\nbootstrap.servers = localhost:9092\n\n[delivery]\nstart = now\n*/\n");
  return {};
}

}  // namespace outboxd
