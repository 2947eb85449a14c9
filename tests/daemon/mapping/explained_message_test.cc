#include "daemon/mapping/explained_message.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/mapping/mapping_parts.h"

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::IsSupersetOf;

// "part | setting | value".
std::vector<std::string> Explained(const OutboxConfig& config, const sinks::Message& message) {
  const auto parts = MappingParts::Compile(config);
  EXPECT_TRUE(parts) << parts.error().message;
  std::vector<std::string> lines;
  for (const auto& [part, setting, value] : ExplainMessage(*parts, message)) {
    lines.push_back(fmt::format("{} | {} | {}", part, setting, value));
  }
  return lines;
}

TEST(ExplainedMessageTest, EachPartStandsWithItsSettingAndItsValue) {
  OutboxConfig config;
  config.where = {"type = Placed"};
  config.partition = "p";
  config.timestamp = "t";
  const std::vector<sinks::Header> headers{{"id", "e-1"}, {"outboxd.position", "uuid:7:1"}};
  const sinks::Message message{.topic = "outbox.event.Order",
                               .key = "42",
                               .value = "{}",
                               .headers = headers,
                               .partition = 3,
                               .timestamp = std::chrono::milliseconds(5)};
  EXPECT_THAT(
      Explained(config, message),
      ElementsAre("where | type = Placed | holds",
                  "topic | outbox.event.{aggregatetype} | outbox.event.Order",
                  "key | aggregateid | 42", "partition | p | 3", "timestamp | t | 5 ms",
                  "header id | id | e-1", "header outboxd.position | outboxd's own | uuid:7:1",
                  "value | payload | {}"));
}

TEST(ExplainedMessageTest, WhatAMessageLacksIsSaid) {
  OutboxConfig config;
  config.key.clear();
  config.topic_regex = "(.*)";
  config.topic_replacement = "$1";
  EXPECT_THAT(
      Explained(config, {.topic = "t"}),
      ElementsAre("topic | outbox.event.{aggregatetype}, by topic-regex | t", "key | none | NULL",
                  "partition |  | by key", "timestamp |  | of sending", "value | payload | NULL"));
}

TEST(ExplainedMessageTest, AHeaderComesFromTheNextSettingOfItsNameElseFromTheHeaderObject) {
  OutboxConfig config;
  config.headers = {{"type", "a"}, {"tenant", "b", true}, {"lower(type)", "a"}};
  config.header_object = "more";
  const std::vector<sinks::Header> headers{
      {"id", "e-1"}, {"a", "X"}, {"a", "x"}, {"c", std::nullopt}};
  EXPECT_THAT(Explained(config, {.topic = "t", .headers = headers}),
              IsSupersetOf(
                  {"header a | type | X", "header a | lower(type) | x", "header c | more | NULL"}));
}

TEST(ExplainedMessageTest, AValueOfMembersNamesThemAll) {
  OutboxConfig config;
  config.members = {{"id", "id"}, {"payload", "document"}};
  EXPECT_EQ(Explained(config, {.topic = "t", .value = "{\x01}"}).back(),
            "value | members id:id, payload:document | {\\x01}");
}

}  // namespace
}  // namespace outboxd
