#include "daemon/config/presets.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "daemon/config/config_reader.h"

namespace outboxd {
namespace {

TEST(PresetsTest, TheSqlOfEachBeginsWithTheNameThatInitReplaces) {
  for (const Preset& preset : Presets()) {
    EXPECT_TRUE(preset.sql.starts_with(fmt::format("CREATE TABLE {} (", preset.table)))
        << preset.name << ": " << preset.sql;
    EXPECT_TRUE(preset.sql.ends_with(';')) << preset.name;
    EXPECT_EQ(preset.sql.find(';'), preset.sql.size() - 1) << preset.name;
  }
}

TEST(PresetsTest, TheSettingsOfEachCanBeRead) {
  for (const Preset& preset : Presets()) {
    const std::string file =
        fmt::format("[relay]\nname = shop\n[outbox]\ntable = shop.{}\npreset = {}\n", preset.table,
                    preset.name);
    const auto config = ReadConfigText(file, "shop.conf");
    EXPECT_TRUE(config) << preset.name << ": " << config.error().message;
  }
}

TEST(PresetsTest, WhatIsOfferedCanBeRead) {
  for (const Preset& preset : Presets()) {
    std::string file = fmt::format("[relay]\nname = shop\n[outbox]\ntable = shop.{}\npreset = {}\n",
                                   preset.table, preset.name);
    for (const auto& [key, value] : preset.offers) file += fmt::format("{} = {}\n", key, value);
    const auto config = ReadConfigText(file, "shop.conf");
    EXPECT_TRUE(config) << preset.name << ": " << config.error().message;
  }
}

TEST(PresetsTest, EachIsFoundByItsName) {
  for (const Preset& preset : Presets()) EXPECT_EQ(FindPreset(preset.name), &preset);
  EXPECT_EQ(FindPreset("no-such"), nullptr);
  EXPECT_EQ(Presets().front().name, "debezium");
}

}  // namespace
}  // namespace outboxd
