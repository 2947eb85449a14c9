#include "daemon/relay/read_alarms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/captured_log.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

ReadTable Table(const std::string& name) {
  ReadTable table;
  table.description.facts.schema_name = "shop";
  table.description.facts.table_name = name;
  table.description.key = {"PRIMARY", {{"id", "varchar(100)", "utf8mb4_bin"}}};
  return table;
}

binlog::Transaction Statement(const std::string& text) {
  binlog::Transaction transaction;
  transaction.file = "binlog.000003";
  transaction.begin_offset = 157;
  transaction.commit_us = 5;
  transaction.ddl = text;
  return transaction;
}

class ReadAlarmsTest : public ::testing::Test {
 protected:
  // Rows of `table` with these keys.
  void Lose(std::size_t table, const std::vector<std::string>& ids) {
    for (const std::string& id : ids) losses_.push_back({table, {id}});
  }
  std::vector<Alarm> Standing() { return log_.Standing().value(); }
  // "POSITION TEXT" of each.
  std::vector<std::string> Alarms() {
    std::vector<std::string> texts;
    for (const Alarm& alarm : Standing()) texts.push_back(alarm.position + " " + alarm.text);
    return texts;
  }

  CapturedLog captured_;
  TemporaryDirectory directory_;
  AlarmLog log_{directory_.path()};
  ReadAlarms alarms_{&log_};
  std::vector<ReadTable> tables_{Table("outbox"), Table("events")};
  std::vector<ReadChanges::Loss> losses_;
};

TEST_F(ReadAlarmsTest, OneRowStandsByItsKeyAndIsSpokenOfAsOne) {
  Lose(0, {"c"});
  ASSERT_TRUE(alarms_.OnLosses(tables_, losses_));
  EXPECT_THAT(Alarms(),
              ElementsAre("table:shop.outbox:c the row with key c of table shop.outbox went before"
                          " the initial read had delivered it, and the log holds a part of it only"
                          " (binlog_row_image): it may be missing"));
}

TEST_F(ReadAlarmsTest, SeveralRowsStandByTheFirstAndTheLastAndTheirNumber) {
  Lose(0, {"c", "d", "f"});
  ASSERT_TRUE(alarms_.OnLosses(tables_, losses_));
  EXPECT_THAT(
      Alarms(),
      ElementsAre("table:shop.outbox:c to f, 3 rows the rows with the keys c, d, f of table"
                  " shop.outbox went before the initial read had delivered them, and the"
                  " log holds a part of them only (binlog_row_image): they may be missing"));
}

// However many they are.
TEST_F(ReadAlarmsTest, AnAlarmAboutManyRowsNamesTheFirstOnes) {
  const std::string filler(90, 'x');
  for (const char* id : {"f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r"}) {
    Lose(0, {id + filler});
  }
  ASSERT_TRUE(alarms_.OnLosses(tables_, losses_));
  EXPECT_THAT(Alarms(),
              ElementsAre(HasSubstr("p" + filler + " and 2 more of table shop.outbox went")));
}

TEST_F(ReadAlarmsTest, RowsOfEachTableHaveAnAlarmOfTheirOwn) {
  Lose(1, {"a"});
  Lose(0, {"b", "c"});
  ASSERT_TRUE(alarms_.OnLosses(tables_, losses_));
  EXPECT_THAT(Alarms(), ElementsAre(StartsWith("table:shop.events:a the row with key a of"),
                                    StartsWith("table:shop.outbox:b to c, 2 rows ")));
}

TEST_F(ReadAlarmsTest, ARowWhoseKeyTheLogLacksIsToldWithoutIt) {
  losses_ = {{0, {}}};
  ASSERT_TRUE(alarms_.OnLosses(tables_, losses_));
  EXPECT_THAT(Alarms(), ElementsAre(StartsWith("table:shop.outbox:? the row with key ? of table")));
}

TEST_F(ReadAlarmsTest, WithoutALossThereIsNoAlarm) {
  ASSERT_TRUE(alarms_.OnLosses(tables_, losses_));
  EXPECT_THAT(Standing(), testing::IsEmpty());
  EXPECT_EQ(captured_.text(), "");
}

TEST_F(ReadAlarmsTest, ATableThatIsGoneIsToldByItsName) {
  ASSERT_TRUE(alarms_.OnTableGone("shop", "outbox"));
  EXPECT_THAT(Alarms(),
              ElementsAre(AllOf(StartsWith("table:shop.outbox table shop.outbox is gone, and its"),
                                EndsWith("but for what the log holds of them"))));
  EXPECT_EQ(Standing()[0].kind, "initial read");
}

TEST_F(ReadAlarmsTest, AStatementIsToldWithItsPlaceAndTimeAndWithoutValues) {
  ASSERT_TRUE(alarms_.OnDdl(Statement("TRUNCATE outbox /* 'secret' */")));
  EXPECT_THAT(Alarms(), ElementsAre(StartsWith(
                            "binlog.000003:157 'TRUNCATE outbox /* ? */' while the initial read")));
  EXPECT_EQ(Standing()[0].commit_us, 5u);
}

TEST_F(ReadAlarmsTest, AStatementWithoutATextDroppedADatabase) {
  ASSERT_TRUE(alarms_.OnDdl(Statement("")));
  EXPECT_THAT(Alarms(), ElementsAre(StartsWith("binlog.000003:157 'DROP DATABASE' while")));
}

TEST_F(ReadAlarmsTest, WithoutARecordItIsLogged) {
  ReadAlarms unrecorded(nullptr);
  ASSERT_TRUE(unrecorded.OnTableGone("shop", "outbox"));
  EXPECT_THAT(captured_.text(), HasSubstr("ALARM: table shop.outbox is gone"));
}

TEST_F(ReadAlarmsTest, AnAlarmThatCannotBeRecordedIsAnErrorAndLoggedAllTheSame) {
  AlarmLog nowhere(directory_ / "gone");
  ReadAlarms unrecorded(&nowhere);
  const auto told = unrecorded.OnTableGone("shop", "outbox");
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().kind, ExitCode::kState);
  EXPECT_THAT(captured_.text(), HasSubstr("ALARM: table shop.outbox is gone"));
}

}  // namespace
}  // namespace outboxd
