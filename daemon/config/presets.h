#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace outboxd {

// A table layout that people have: nothing but settings of [outbox], which those of the
// configuration replace key by key.
struct Preset {
  struct Setting {
    std::string_view key, value;
  };
  std::string_view name;
  std::string_view layout;   // Whose table it is, in one line.
  std::string_view sending;  // Whether its library sends by itself, and how that is switched off.
  std::string_view table;    // A name for the table, without schema.
  // CREATE TABLE of exactly this layout. It begins with "CREATE TABLE {table} (", where `init` puts
  // another name, and ends with a semicolon.
  std::string_view sql;
  std::vector<Setting> settings;
  // What the preset does not set and `init` offers: columns that no part of the message has.
  std::vector<Setting> offers = {};
};

// All of them; `debezium`, the default, first.
[[nodiscard]] std::span<const Preset> Presets();

// Null: there is none of this name.
[[nodiscard]] const Preset* FindPreset(std::string_view name);

// For messages: "debezium, eventuate, ...".
[[nodiscard]] std::string PresetNames();

}  // namespace outboxd
