#include "daemon/preparation/source_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/local_ports.h"
#include "tests/daemon/server/event_table.h"

namespace outboxd {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SourceSetupServerTest : public EventTableTest {
 protected:
  void SetUp() override {
    EventTableTest::SetUp();
    auto asked = AskServer(config_.mysql);
    ASSERT_TRUE(asked) << asked.error().ToText();
    server_.emplace(std::move(asked->server));
  }
  EventTables Tables() { return CompileEventTables(config_).value(); }
  std::vector<DescribedTable> Described() {
    return DescribeEventTables(*server_, Tables()).value();
  }

  std::optional<binlog::MysqlServer> server_;
};

TEST_F(SourceSetupServerTest, TheFirstHostThatAnswersIsAsked) {
  const ClosedPort closed;
  config_.mysql.socket.clear();
  config_.mysql.hosts = {"127.0.0.1:" + std::to_string(closed.number()),
                         "127.0.0.1:" + binlog::EnvironmentOf("OUTBOXD_TEST_MYSQL_PORT")};
  const auto asked = AskServer(config_.mysql);
  ASSERT_TRUE(asked) << asked.error().ToText();
  EXPECT_EQ(asked->facts.server_uuid, Value("SELECT @@server_uuid"));
}

// Each time: the server closes behind its refusal, and what the client sends then must not hide it.
TEST_F(SourceSetupServerTest, AWrongPasswordIsDenied) {
  constexpr int kTimes = 100;
  directory_.Write("wrong", "not this");
  config_.mysql.password_file = directory_ / "wrong";
  ::chmod(config_.mysql.password_file.c_str(), 0600);
  const auto ask = [this](const char* way) {
    for (int i = 0; i < kTimes; ++i) {
      const auto asked = AskServer(config_.mysql);
      ASSERT_FALSE(asked);
      ASSERT_EQ(asked.error().kind, binlog::ErrorKind::kDenied)
          << way << ": " << asked.error().ToText();
    }
  };
  ask("a Unix socket");
  config_.mysql.socket.clear();
  config_.mysql.hosts = {"127.0.0.1:" + binlog::EnvironmentOf("OUTBOXD_TEST_MYSQL_PORT")};
  ask("TLS");
}

TEST_F(SourceSetupServerTest, ColumnsAreLookedUpAsTheTableHasThemNow) {
  const auto look_up = LookUpSchema(config_.mysql);
  ASSERT_THAT(look_up("daemon_test", "outbox").value(), SizeIs(5));
  Run("ALTER TABLE outbox ADD COLUMN later INT");
  const auto columns = look_up("daemon_test", "outbox");
  ASSERT_TRUE(columns) << columns.error().ToText();
  EXPECT_THAT(*columns, SizeIs(6));
  EXPECT_THAT(look_up("daemon_test", "no_such_table").value(), IsEmpty());
}

TEST_F(SourceSetupServerTest, EachTableThatAPatternMatchesBelongsToIt) {
  Run("CREATE TABLE outbox_eu LIKE outbox");
  config_.outboxes[0].tables = {"daemon_test.none", "daemon_test.outbox*"};
  const auto described = Described();
  ASSERT_THAT(described, SizeIs(2));
  EXPECT_EQ(described[0].selection, 1U);
  EXPECT_EQ(described[0].facts.table_name, "outbox");
  EXPECT_EQ(described[1].facts.table_name, "outbox_eu");
}

TEST_F(SourceSetupServerTest, WhatAnAccountLacksIsWhatItHasToBeGranted) {
  UseNewAccount();
  auto asked = AskServer(config_.mysql);
  ASSERT_TRUE(asked) << asked.error().ToText();
  const auto missing = FindMissingPrivileges(asked->server, Tables());
  ASSERT_TRUE(missing) << missing.error().ToText();
  std::string granted;
  for (const binlog::MissingPrivilege& one : *missing) {
    Run(one.grant);
    granted += one.privilege + ";";
  }
  EXPECT_THAT(granted, HasSubstr("SELECT"));
  EXPECT_THAT(FindMissingPrivileges(asked->server, Tables()).value(), IsEmpty());
}

TEST_F(SourceSetupServerTest, WhatDeletesRowsOfAnEventTableIsSeenForItsRead) {
  Run("CREATE TABLE orders (id VARCHAR(64) PRIMARY KEY)");
  Run("ALTER TABLE outbox ADD CONSTRAINT of_order FOREIGN KEY (aggregateid) REFERENCES orders (id)"
      " ON DELETE CASCADE");
  const auto facts = FactsForTableRead(*server_, Described());
  ASSERT_TRUE(facts) << facts.error().ToText();
  ASSERT_THAT(facts->cascades, SizeIs(1));
  EXPECT_EQ(facts->cascades[0].name, "of_order");
  EXPECT_EQ(facts->cascades[0].parent, "daemon_test.orders");
}

TEST_F(SourceSetupServerTest, TheRowsOfAllEventTablesAreEstimatedTogether) {
  Run("CREATE TABLE outbox_eu LIKE outbox");
  config_.outboxes[0].tables = {"daemon_test.outbox*"};
  for (const char* id : {"a", "b", "c"}) Insert(id);
  Run("INSERT INTO outbox_eu SELECT * FROM outbox LIMIT 2");
  Run("ANALYZE TABLE outbox, outbox_eu");
  EXPECT_EQ(FactsForTableRead(*server_, Described()).value().rows, 5U);
}

}  // namespace
}  // namespace outboxd
