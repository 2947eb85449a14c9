#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/commands/commands.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::HasSubstr;

constexpr const char* kConnector = R"({"name": "x", "config": {
    "connector.class": "io.debezium.connector.mysql.MySqlConnector",
    "database.hostname": "db", "database.user": "u", "database.server.id": "5",
    "topic.prefix": "t", "table.include.list": "shop.outbox", "transforms": "outbox",
    "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter"}})";

class ImportConfigTest : public testing::Test {
 protected:
  Result<void> Import(const std::vector<std::string>& files) {
    CommandLine line;
    for (const std::string& file : files) line.words.push_back(directory_ / file);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    auto result = ImportConfigCommand(line);
    printed_ = testing::internal::GetCapturedStdout();
    (void)testing::internal::GetCapturedStderr();
    return result;
  }

  TemporaryDirectory directory_;
  std::string printed_;
};

TEST_F(ImportConfigTest, WhatNoRelayCouldRunWithIsPrintedAndFails) {
  directory_.Write("connector", kConnector);
  const auto result = Import({"connector"});
  EXPECT_THAT(printed_, HasSubstr("table = shop.outbox"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(result.error().message, HasSubstr("kafka.bootstrap.servers has to be set"));
}

// Another server than the connector's must not be read by mistake.
TEST_F(ImportConfigTest, AServerThatTheConnectorDoesNotNameIsNotMadeUp) {
  std::string connector = kConnector;
  for (const std::string_view option :
       {R"("database.hostname": "db", )", R"("database.user": "u", )"}) {
    connector.erase(connector.find(option), option.size());
  }
  directory_.Write("connector", connector);
  directory_.Write("worker", "bootstrap.servers=kafka-1:9092\n");
  const auto result = Import({"connector", "worker"});
  EXPECT_THAT(printed_, HasSubstr("\n# host = HOST\n# user = USER\n"));
  EXPECT_THAT(printed_, HasSubstr("# - mysql.host has to be set: the connector has no"
                                  " database.hostname\n"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(result.error().message,
              HasSubstr("mysql.host has to be set: the connector has no database.hostname;"
                        " mysql.user has to be set"));
}

TEST_F(ImportConfigTest, WithTheWorkersPropertiesItIsWhole) {
  directory_.Write("connector", kConnector);
  directory_.Write("worker", "bootstrap.servers=kafka-1:9092\n");
  EXPECT_TRUE(Import({"connector", "worker"}));
  EXPECT_THAT(printed_, HasSubstr("bootstrap.servers = kafka-1:9092"));
}

}  // namespace
}  // namespace outboxd
