#include "daemon/relay/change_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/captured_log.h"
#include "tests/daemon/fakes.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kGtid[] = "11111111-1111-1111-1111-111111111111:7";

class ChangeWatchTest : public ::testing::Test {
 protected:
  static binlog::Transaction Make() {
    binlog::Transaction transaction;
    transaction.gtid =
        binlog::Gtid{{binlog::ParseUuid("11111111-1111-1111-1111-111111111111").value(), ""}, 7};
    transaction.file = "binlog.000003";
    transaction.begin_offset = 157;
    transaction.commit_us = 5;
    return transaction;
  }
  static binlog::Transaction MakeStatement(const std::string& text) {
    binlog::Transaction transaction = Make();
    transaction.statements = 1;
    transaction.statement = text;
    return transaction;
  }
  static binlog::Transaction MakeUnknown(binlog::XaStep step) {
    binlog::Transaction transaction = Make();
    transaction.xa = step;
    transaction.xid = "X'61',X'',1";
    transaction.xa_is_unknown = true;
    return transaction;
  }
  std::vector<Alarm> Standing() { return alarms_.Standing().value(); }

  TemporaryDirectory directory_;
  AlarmLog alarms_{directory_.path()};
  FakeClock clock_;
  CapturedLog log_;
  ChangeWatch watch_{DeliveryConfig{}, &alarms_, clock_};
};

TEST_F(ChangeWatchTest, ATransactionOfInsertsIsNoneOfItsBusiness) {
  binlog::Transaction transaction = Make();
  transaction.has_rows = true;
  ASSERT_TRUE(watch_.Observe(transaction));
  EXPECT_EQ(log_.text(), "");
  EXPECT_TRUE(Standing().empty());
}

TEST_F(ChangeWatchTest, CountsEachKindOfChange) {
  binlog::Transaction transaction = MakeUnknown(binlog::XaStep::kRolledBack);
  transaction.statements = 2;
  transaction.updates = 3;
  transaction.deletes = 4;
  transaction.ddl = "TRUNCATE TABLE outbox";
  ASSERT_TRUE(watch_.Observe(transaction));
  ASSERT_TRUE(watch_.Observe(transaction));
  const ChangeCounts counts = watch_.counts();
  EXPECT_EQ(counts.statements, 4u);
  EXPECT_EQ(counts.updates, 6u);
  EXPECT_EQ(counts.deletes, 8u);
  EXPECT_EQ(counts.ddl, 2u);
  EXPECT_EQ(counts.unknown_decisions, 2u);
}

TEST_F(ChangeWatchTest, AStatementRaisesAnAlarmThatNamesTheTransactionAndShowsNoValue) {
  ASSERT_TRUE(watch_.Observe(MakeStatement("INSERT INTO outbox VALUES (17, 'secret')")));
  EXPECT_THAT(log_.text(), AllOf(HasSubstr("ALARM"), HasSubstr(kGtid),
                                 HasSubstr("INSERT INTO outbox VALUES (?, ?)")));
  ASSERT_EQ(Standing().size(), 1u);
  const Alarm alarm = Standing()[0];
  EXPECT_EQ(alarm.kind, "statement");
  EXPECT_EQ(alarm.position, kGtid);
  EXPECT_EQ(alarm.commit_us, 5u);
  EXPECT_THAT(alarm.text, AllOf(HasSubstr("a change in statement format"),
                                HasSubstr("VALUES (?, ?)"), Not(HasSubstr("secret"))));
}

TEST_F(ChangeWatchTest, SeveralStatementsOfOneTransactionAreOneAlarmWithTheirNumber) {
  binlog::Transaction transaction = MakeStatement("DELETE FROM outbox");
  transaction.statements = 3;
  ASSERT_TRUE(watch_.Observe(transaction));
  ASSERT_EQ(Standing().size(), 1u);
  EXPECT_THAT(Standing()[0].text, HasSubstr("3 changes in statement format"));
}

TEST_F(ChangeWatchTest, ATransactionThatIsReadAgainRaisesItsAlarmOnce) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(watch_.Observe(MakeStatement("DELETE FROM outbox")));
  EXPECT_EQ(Standing().size(), 1u);
}

TEST_F(ChangeWatchTest, AnUpdateRaisesAnAlarmOnlyWhereConfigured) {
  binlog::Transaction transaction = Make();
  transaction.updates = 1;
  ASSERT_TRUE(watch_.Observe(transaction));
  EXPECT_TRUE(Standing().empty());
  ChangeWatch strict({.on_update = DeliveryConfig::OnUpdate::kAlarm}, &alarms_, clock_);
  ASSERT_TRUE(strict.Observe(transaction));
  ASSERT_EQ(Standing().size(), 1u);
  EXPECT_EQ(Standing()[0].kind, "update");
}

TEST_F(ChangeWatchTest, TheCommitOfAnUnknownXaTransactionRaisesAnAlarmAndItsRollbackNone) {
  ASSERT_TRUE(watch_.Observe(MakeUnknown(binlog::XaStep::kRolledBack)));
  EXPECT_TRUE(Standing().empty());
  ASSERT_TRUE(watch_.Observe(MakeUnknown(binlog::XaStep::kCommitted)));
  ASSERT_EQ(Standing().size(), 1u);
  EXPECT_EQ(Standing()[0].kind, "xa");
  EXPECT_THAT(Standing()[0].text, HasSubstr("XA transaction X'61',X'',1 was committed"));
}

TEST_F(ChangeWatchTest, ADdlIsLoggedWithoutItsValuesAndIsNoAlarm) {
  binlog::Transaction transaction = Make();
  transaction.ddl = "ALTER TABLE outbox ADD COLUMN c VARCHAR(9) DEFAULT 'secret'";
  ASSERT_TRUE(watch_.Observe(transaction));
  EXPECT_THAT(log_.text(), AllOf(HasSubstr(kGtid), HasSubstr("ADD COLUMN c VARCHAR(?) DEFAULT ?"),
                                 Not(HasSubstr("secret"))));
  EXPECT_TRUE(Standing().empty());
}

TEST_F(ChangeWatchTest, EndsTheRunAtAStatementWhereConfigured) {
  ChangeWatch strict({.on_statement = DeliveryConfig::OnStatement::kStop}, &alarms_, clock_);
  const auto observed = strict.Observe(MakeStatement("INSERT INTO outbox VALUES ('secret')"));
  ASSERT_FALSE(observed);
  EXPECT_EQ(observed.error().kind, ExitCode::kUndecodable);
  EXPECT_THAT(observed.error().message, AllOf(HasSubstr(kGtid), HasSubstr("VALUES (?)")));
  EXPECT_THAT(observed.error().hint, HasSubstr("delivery.on-statement = alarm"));
  EXPECT_TRUE(Standing().empty());
}

TEST_F(ChangeWatchTest, EndsTheRunWhereAnAlarmCannotBeRecorded) {
  AlarmLog gone(directory_ / "gone");
  ChangeWatch watch({}, &gone, clock_);
  const auto observed = watch.Observe(MakeStatement("DELETE FROM outbox"));
  ASSERT_FALSE(observed);
  EXPECT_EQ(observed.error().kind, ExitCode::kState);
}

TEST_F(ChangeWatchTest, WithoutAlarmLogAlarmsAreLoggedOnly) {
  ChangeWatch watch({}, nullptr, clock_);
  ASSERT_TRUE(watch.Observe(MakeStatement("DELETE FROM outbox")));
  EXPECT_THAT(log_.text(), HasSubstr("ALARM"));
}

TEST_F(ChangeWatchTest, OfAFloodOfAlarmsAllAreRecordedAndOneASecondIsLogged) {
  binlog::Transaction transaction = MakeStatement("DELETE FROM outbox");
  for (std::uint64_t number = 1; number <= 20; ++number) {
    transaction.gtid->number = number;
    ASSERT_TRUE(watch_.Observe(transaction));
  }
  EXPECT_EQ(log_.lines(), 1);
  EXPECT_EQ(Standing().size(), 20u);
  clock_.Move(std::chrono::seconds(1));
  transaction.gtid->number = 21;
  ASSERT_TRUE(watch_.Observe(transaction));
  EXPECT_EQ(log_.lines(), 2);
  EXPECT_THAT(log_.text(), HasSubstr("(19 more before it)"));
}

TEST_F(ChangeWatchTest, ThePlaceIsTheGtidOrElseFileAndOffset) {
  binlog::Transaction transaction = Make();
  EXPECT_EQ(PlaceOf(transaction), kGtid);
  transaction.gtid.reset();
  EXPECT_EQ(PlaceOf(transaction), "binlog.000003:157");
}

struct Redacted {
  const char* statement;
  const char* text;
};

class WithoutLiteralsTest : public ::testing::TestWithParam<Redacted> {};

TEST_P(WithoutLiteralsTest, ShowsNoValue) {
  EXPECT_EQ(WithoutLiterals(GetParam().statement), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Statements, WithoutLiteralsTest,
    testing::Values(
        Redacted{"SELECT `shop`.`f5`()", "SELECT `shop`.`f5`()"},
        Redacted{"INSERT t VALUES (1, -2.5, 3e4, 0xFF)", "INSERT t VALUES (?, -?, ?, ?)"},
        Redacted{"UPDATE t1 SET c2 = 'a' WHERE x = \"b\"", "UPDATE t1 SET c2 = ? WHERE x = ?"},
        Redacted{"x = 'it''s' AND y", "x = ?? AND y"},
        Redacted{"x = N'a', b'01', x'41'", "x = N?, b?, x?"},
        Redacted{"x = 'cut off within a val", "x = ?"}, Redacted{"", ""},
        // What a backslash in front of a quote means depends on the session's sql_mode
        // and character set: nothing behind it is certain to be no value.
        Redacted{"x = 'a\\', 'secret', 'b'", "x = ?"},
        Redacted{"x = 'a\\\\', y = 'b'", "x = ?, y = ?"}, Redacted{"x = 'a\\n', y", "x = ?, y"}));

}  // namespace
}  // namespace outboxd
