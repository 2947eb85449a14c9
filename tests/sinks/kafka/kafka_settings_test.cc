#include "sinks/kafka/kafka_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd::sinks {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(KafkaSettingsTest, PropertiesPassAsTheyAreBehindTheBoundOfTheQueue) {
  const auto options = KafkaSinkOptionsOf(
      {.settings = {{"kafka", "bootstrap.servers", "k:9092"}, {"kafka", "linger.ms", "5"}},
       .in_flight_bytes_max = 8 << 20});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->properties,
              ElementsAre(Pair("queue.buffering.max.kbytes", "8192"),
                          Pair("bootstrap.servers", "k:9092"), Pair("linger.ms", "5")));
}

TEST(KafkaSettingsTest, TopicsAreNotCreatedUnlessSaid) {
  const auto none = KafkaSinkOptionsOf({});
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->create_topics);
  const auto options = KafkaSinkOptionsOf({.settings = {{"topics", "create", "yes"},
                                                        {"topics", "partitions", "12"},
                                                        {"topics", "replication", "1"}}});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->create_topics);
  EXPECT_EQ(options->topic_partitions, 12);
  EXPECT_EQ(options->topic_replication, 1);
}

TEST(KafkaSettingsTest, ADefaultIsWhatCountsWithoutTheKey) {
  const auto without = KafkaSinkOptionsOf({});
  for (const SettingKey& key : KafkaSettingKeys()) {
    if (key.default_text.empty()) continue;
    const auto with =
        KafkaSinkOptionsOf({.settings = {{std::string(key.section), std::string(key.key),
                                          std::string(key.default_text)}}});
    ASSERT_TRUE(with) << key.key;
    EXPECT_EQ(with->create_topics, without->create_topics) << key.key;
    EXPECT_EQ(with->topic_partitions, without->topic_partitions) << key.key;
    EXPECT_EQ(with->topic_replication, without->topic_replication) << key.key;
  }
}

TEST(KafkaSettingsTest, AWrongValueIsNamedWithItsKey) {
  EXPECT_EQ(CheckKafkaSetting({"topics", "partitions", "0"}).error().message,
            "'0' is not a number from 1 to 100000");
  EXPECT_EQ(CheckKafkaSetting({"topics", "replication", "101"}).error().message,
            "'101' is not a number from 1 to 100");
  EXPECT_EQ(KafkaSinkOptionsOf({.settings = {{"topics", "create", "maybe"}}}).error().message,
            "topics.create: 'maybe' is neither yes nor no");
}

TEST(KafkaSettingsTest, SettingsOfOtherFamiliesSayNothing) {
  EXPECT_TRUE(KafkaSinkOptionsOf({.settings = {{"stdout", "colour", "red"}}}));
}

TEST(KafkaSettingsTest, LinesOfTheClientLibraryNameIt) {
  std::string line;
  const auto options =
      KafkaSinkOptionsOf({.log = [&line](int, std::string_view text) { line = text; }});
  ASSERT_TRUE(options);
  options->log(3, "no broker");
  EXPECT_EQ(line, "librdkafka: no broker");
}

}  // namespace
}  // namespace outboxd::sinks
