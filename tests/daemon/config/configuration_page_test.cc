#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/config/config_keys.h"
#include "daemon/config/config_reader.h"
#include "sinks/kafka/kafka_properties.h"
#include "tests/daemon/page.h"
#include "tests/daemon/temporary_directory.h"

// docs/configuration.md has what the table of keys has, docs/kafka.md what the relay sets of Kafka,
// and what they show can be read.

namespace outboxd {
namespace {

constexpr const char* kPage = "configuration.md";
constexpr const char* kKafkaPage = "kafka.md";

// The rows that begin with a name in backquotes.
std::vector<std::string> RowsOfNames(const char* page, bool has_equals) {
  std::vector<std::string> rows;
  for (const std::string& line : LinesOfPage(page)) {
    if (!line.starts_with("| `")) continue;
    const std::string name = line.substr(3, line.find('`', 3) - 3);
    if (name.contains(" = ") == has_equals) rows.push_back(line);
  }
  return rows;
}

TEST(ConfigurationPageTest, HasTheKeysOfTheTableAndNoOthers) {
  EXPECT_EQ(RowsOfNames(kPage, false), ConfigKeyRows())
      << "the rows that docs/configuration.md is to have:\n"
      << Pasted(ConfigKeyRows());
}

TEST(ConfigurationPageTest, HasTheTypesOfTheTable) {
  const std::vector<std::string> lines = LinesOfPage(kPage);
  for (const std::string& row : ConfigTypeRows()) {
    EXPECT_NE(std::ranges::find(lines, row), lines.end()) << "lacks the row:\n" << row;
  }
}

TEST(ConfigurationPageTest, HasThePropertiesOfKafkaThatTheRelaySets) {
  const auto properties = sinks::ResolveKafkaProperties({{"bootstrap.servers", "a:9092"}});
  ASSERT_TRUE(properties);
  std::vector<std::string> set;
  for (const sinks::ResolvedProperty& property : *properties) {
    const bool is_ours = property.origin == sinks::ResolvedProperty::Origin::kOutboxd ||
                         property.origin == sinks::ResolvedProperty::Origin::kOptional;
    if (is_ours) set.push_back(fmt::format("{} = {}", property.name, property.value));
  }
  std::vector<std::string> shown;
  for (const std::string& row : RowsOfNames(kKafkaPage, true)) {
    shown.push_back(row.substr(3, row.find('`', 3) - 3));
  }
  EXPECT_EQ(shown, set);
}

TEST(ConfigurationPageTest, NamesTheFilesOfSecrets) {
  const std::string page = Pasted(LinesOfPage(kKafkaPage));
  for (const std::string_view property : sinks::KafkaSecretFileProperties()) {
    EXPECT_TRUE(page.contains(fmt::format("`{}`", property))) << property;
  }
}

// The examples: indented blocks that begin with a section.
std::vector<std::string> Examples() {
  std::vector<std::string> examples;
  bool is_inside = false;
  for (const std::string& line : LinesOfPage(kPage)) {
    const bool begins = !is_inside && line.starts_with("    [");
    if (begins) examples.emplace_back();
    is_inside = begins || (is_inside && (line.starts_with("    ") || line.empty()));
    if (is_inside) examples.back() += line.empty() ? "\n" : line.substr(4) + "\n";
  }
  return examples;
}

TEST(ConfigurationPageTest, ItsExamplesCanBeRead) {
  static const std::vector<sinks::Setting> kNoSettings;
  EXPECT_GE(Examples().size(), 5u);
  const TemporaryDirectory directory;  // The secrets' files are where the page's reader has them.
  directory.Write("secret", "secret\n");
  for (std::string example : Examples()) {
    const std::string whole = "\n" + example;
    if (!whole.contains("\n[relay]")) example += "[relay]\nname = shop\n";
    if (!whole.contains("\n[outbox]")) example += "[outbox]\ntable = shop.outbox\n";
    const auto config = ReadConfigText(example, "example");
    EXPECT_TRUE(config) << config.error().message << "\n" << example;
    sinks::KafkaProperties properties;
    for (const sinks::Setting& setting : config ? config->sink.settings : kNoSettings) {
      if (setting.section == "kafka") properties.emplace_back(setting.key, setting.value);
    }
    for (auto& [name, value] : properties) {
      if (name.ends_with("-file")) value = directory / "secret";
    }
    if (properties.empty()) continue;
    const auto good = sinks::ValidateKafkaProperties(properties);
    EXPECT_TRUE(good) << good.error().message << "\n" << example;
  }
}

}  // namespace
}  // namespace outboxd
