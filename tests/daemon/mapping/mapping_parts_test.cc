#include "daemon/mapping/mapping_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Mistake(const OutboxConfig& config) {
  const auto parts = MappingParts::Compile(config);
  EXPECT_FALSE(parts.has_value());
  if (parts) return "";
  EXPECT_EQ(parts.error().kind, ExitCode::kConfiguration);
  return parts.error().message;
}

OutboxConfig MakeConfig() {
  OutboxConfig config;
  config.section = "outbox";
  return config;
}

TEST(MappingPartsTest, ReadsEachColumnOnceInTheOrderOfTheParts) {
  OutboxConfig config = MakeConfig();
  config.headers = {{"ID", "again"}, {"type", "eventType"}};
  config.topic = "{aggregatetype}.{AggregateType}";
  config.where = {"tenant = 1"};
  EXPECT_THAT(MappingParts::Compile(config)->columns.names(),
              ElementsAre("id", "type", "aggregatetype", "aggregateid", "payload", "tenant"));
}

TEST(MappingPartsTest, WithMembersThePayloadIsReadOnlyToTellTombstones) {
  OutboxConfig config = MakeConfig();
  config.members = {{"id", "id"}};
  EXPECT_FALSE(MappingParts::Compile(config)->payload);
  config.blank_is_tombstone = true;
  EXPECT_TRUE(MappingParts::Compile(config)->payload);
}

TEST(MappingPartsTest, AMistakeIsToldWithSectionAndKey) {
  OutboxConfig config = MakeConfig();
  config.section = "outbox.eu";
  config.topic = "a.{b";
  EXPECT_THAT(Mistake(config),
              testing::StartsWith("outbox.eu.topic: there is no '}' before its end"));
  config = MakeConfig();
  config.where = {"type ="};
  EXPECT_THAT(Mistake(config), testing::StartsWith("outbox.where: lacks a value"));
  config = MakeConfig();
  config.topic_replacement = "x";
  EXPECT_EQ(Mistake(config), "outbox.topic-replacement: there is no topic-regex");
}

TEST(MappingPartsTest, IdAndPayloadAreNeeded) {
  OutboxConfig config = MakeConfig();
  config.id.clear();
  EXPECT_EQ(Mistake(config), "outbox.id: is empty");
  config = MakeConfig();
  config.payload.clear();
  EXPECT_EQ(Mistake(config), "outbox.payload: is empty");
}

TEST(MappingPartsTest, TheNamesOfOutboxdsOwnHeadersAreTaken) {
  for (const char* name : {"id", "outboxd.table", "outboxd.x", ""}) {
    OutboxConfig config = MakeConfig();
    config.headers = {{"type", name}};
    EXPECT_THAT(Mistake(config), HasSubstr("outbox.header: the name")) << name;
  }
}

TEST(MappingPartsTest, ADefaultIsOnceAndForAColumnThatIsRead) {
  OutboxConfig config = MakeConfig();
  config.defaults = {{"tenant", "1"}};
  EXPECT_EQ(Mistake(config), "outbox.default: the mapping reads no column 'tenant'");
  config.defaults = {{"payload", "1"}, {"PAYLOAD", std::nullopt}};
  EXPECT_EQ(Mistake(config), "outbox.default: column 'PAYLOAD' stands twice");
  config.defaults = {{"tenant", "1"}};
  config.payload = "@row";
  EXPECT_THAT(MappingParts::Compile(config)->columns.names(), testing::Contains("tenant"));
}

}  // namespace
}  // namespace outboxd
