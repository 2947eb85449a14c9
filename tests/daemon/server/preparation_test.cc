#include "daemon/preparation/preparation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/local_ports.h"
#include "tests/daemon/server/event_table.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PreparationServerTest : public EventTableTest {
 protected:
  // Of what has to be well.
  Preparation Prepared(const std::optional<Checkpoint>& checkpoint = {}) {
    auto prepared = Prepare(config_, checkpoint);
    EXPECT_TRUE(prepared) << (prepared ? "" : prepared.error().ToText());
    return prepared ? std::move(*prepared) : Preparation{};
  }
  Error ErrorOf() {
    auto prepared = Prepare(config_, std::nullopt);
    EXPECT_FALSE(prepared);
    return prepared ? Error{} : prepared.error();
  }
  void UseTcp(const std::vector<std::string>& ports) {
    config_.mysql.socket.clear();
    config_.mysql.hosts.clear();
    for (const std::string& port : ports) config_.mysql.hosts.push_back("127.0.0.1:" + port);
  }
};

TEST_F(PreparationServerTest, WithoutCheckpointTheStartIsThePlace) {
  const Preparation preparation = Prepared();
  EXPECT_EQ(preparation.progress.position.gtids.ToText(), Executed());
  EXPECT_FALSE(preparation.progress.read);
  EXPECT_THAT(preparation.tables.mappings, SizeIs(1));
}

TEST_F(PreparationServerTest, TheCheckpointIsThePlaceWhateverTheStart) {
  Checkpoint checkpoint;
  checkpoint.position = {.gtids = {}, .file = "binlog.000001", .offset = 157};
  config_.delivery.start.kind = StartChoice::Kind::kTable;
  const Preparation preparation = Prepared(checkpoint);
  EXPECT_EQ(preparation.progress.position.offset, 157U);
  EXPECT_FALSE(preparation.progress.read);
}

// One that is gone later is missed.
TEST_F(PreparationServerTest, ReadNamesTheTablesThatAreThereWhenItBegins) {
  Run("CREATE TABLE outbox_eu LIKE outbox");
  config_.outboxes[0].tables = {"daemon_test.outbox*"};
  config_.delivery.start.kind = StartChoice::Kind::kTable;
  const Preparation preparation = Prepared();
  ASSERT_TRUE(preparation.progress.read);
  ASSERT_THAT(preparation.progress.read->tables, SizeIs(2));
  EXPECT_EQ(preparation.progress.read->tables[0].table_name, "outbox");
  EXPECT_EQ(preparation.progress.read->tables[1].table_name, "outbox_eu");
}

TEST_F(PreparationServerTest, AReadThatIsUnderWayKeepsItsTables) {
  Checkpoint checkpoint;
  checkpoint.read.emplace().tables = {{.schema_name = "daemon_test", .table_name = "former"}};
  const Preparation preparation = Prepared(checkpoint);
  ASSERT_TRUE(preparation.progress.read);
  EXPECT_EQ(preparation.progress.read->tables, checkpoint.read->tables);
}

TEST_F(PreparationServerTest, AMissingTableIsNamed) {
  Run("DROP TABLE outbox");
  const Error error = ErrorOf();
  EXPECT_EQ(error.kind, ExitCode::kConfiguration);
  EXPECT_THAT(error.ToText(), HasSubstr("daemon_test.outbox"));
}

TEST_F(PreparationServerTest, AMissingPrivilegeIsDeniedWithTheStatementThatGrantsIt) {
  UseNewAccount();
  const Error error = ErrorOf();
  EXPECT_EQ(error.kind, ExitCode::kDenied);
  EXPECT_THAT(error.ToText(), AllOf(HasSubstr(" HINT: GRANT "), HasSubstr("'relay'@'localhost'")));
}

TEST_F(PreparationServerTest, KnowsHowLongTheLogIsKept) {
  Run("SET GLOBAL binlog_expire_logs_seconds = 60");
  config_.delivery.start.kind = StartChoice::Kind::kTable;
  EXPECT_EQ(Prepared().log_kept, std::chrono::seconds(60));
  Run("SET GLOBAL binlog_expire_logs_seconds = DEFAULT");
}

TEST_F(PreparationServerTest, AHostThatIsAwayStaysAmongThoseToAskLater) {
  const ClosedPort closed;
  UseTcp({std::to_string(closed.number()), binlog::EnvironmentOf("OUTBOXD_TEST_MYSQL_PORT")});
  const Preparation preparation = Prepared();
  EXPECT_EQ(preparation.hosts, config_.mysql.hosts);
  EXPECT_THAT(preparation.warnings, IsEmpty());
}

TEST_F(PreparationServerTest, WhereAllFailTheOneThatMayComeBackCounts) {
  const ClosedPort closed;
  Run("DROP TABLE outbox");
  UseTcp({binlog::EnvironmentOf("OUTBOXD_TEST_MYSQL_PORT"), std::to_string(closed.number())});
  const Error error = ErrorOf();
  EXPECT_EQ(error.kind, ExitCode::kUnreachable);
  EXPECT_THAT(error.ToText(), AllOf(HasSubstr("mysql at " + config_.mysql.hosts[0] + ": "),
                                    HasSubstr("daemon_test.outbox"),
                                    HasSubstr("mysql at " + config_.mysql.hosts[1] + ": ")));
}

}  // namespace
}  // namespace outboxd
