#include "daemon/commands/inspector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/fake_source.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Kind = LoggedTransaction::Kind;

class InspectorTest : public testing::Test {
 protected:
  // It shows `columns` of shop.outbox, and all of them where `whole_row` says so.
  explicit InspectorTest(std::vector<std::string> columns = {},
                         binlog::WholeRow whole_row = binlog::WholeRow::kNumbered)
      : filter_({{.schema_pattern = "shop",
                  .table_pattern = "outbox",
                  .columns = std::move(columns),
                  .declared_columns = {},
                  .whole_row = whole_row}}) {}

  // What it prints of a log with `transactions`, from offset `begin` of its file on.
  std::string Printed(std::vector<LoggedTransaction> transactions, std::uint64_t begin = 0) {
    source_.transactions = std::move(transactions);
    testing::internal::CaptureStdout();
    inspector_.Begin(source_.Open({}, {}).value(), {}, begin);
    while (!source_.AtEnd()) EXPECT_TRUE(inspector_.Take(source_.Next().value()));
    inspector_.PrintSummary();
    return testing::internal::GetCapturedStdout();
  }

  FakeSource source_;
  binlog::TableFilter filter_;
  binlog::CharacterSets character_sets_;
  Inspector inspector_{filter_, character_sets_};
};

TEST_F(InspectorTest, ShowsEachEventWithItsPlaceAndWhatItSays) {
  const std::string text = Printed({{"a"}});
  EXPECT_THAT(text, HasSubstr("server 9.7.4, checksums NONE"));
  EXPECT_THAT(text,
              testing::ContainsRegex("binlog.000001:[0-9]+ +GTID +1{8}-1{4}-1{4}-1{4}-1{12}:1"));
  EXPECT_THAT(text, testing::ContainsRegex("binlog.000001:[0-9]+ +QUERY +BEGIN"));
  EXPECT_THAT(text, HasSubstr("shop.outbox, table id 70, 4 columns\n"));
  EXPECT_THAT(text, testing::ContainsRegex("binlog.000001:[0-9]+ +XID +commits"));
}

TEST_F(InspectorTest, ShowsTheRowsOfWhatIsPublished) {
  const std::string text = Printed({{"a", "b"}});
  EXPECT_THAT(text, HasSubstr("  => published as 11111111-1111-1111-1111-111111111111:1:\n"
                              "     1. shop.outbox  id='a'  aggregatetype='order'  "
                              "aggregateid='k'  payload='p'\n"
                              "     2. shop.outbox  id='b'"));
  EXPECT_THAT(text, HasSubstr("1 transactions: 1 published (2 rows), 0 held at their XA PREPARE, "
                              "0 skipped\n"));
}

TEST_F(InspectorTest, SaysWhyATransactionIsSkipped) {
  const std::string text = Printed({{},
                                    LoggedTransaction::Update("a"),
                                    LoggedTransaction::Delete("a"),
                                    LoggedTransaction::Ddl("ALTER TABLE outbox FORCE"),
                                    LoggedTransaction::Ddl("FLUSH STATUS")});
  EXPECT_THAT(text, HasSubstr("  => skipped: no row of an event table was inserted\n"));
  EXPECT_THAT(text, HasSubstr("was inserted; 1 updates\n"));
  EXPECT_THAT(text, HasSubstr("was inserted; 1 deletes\n"));
  EXPECT_THAT(text, HasSubstr("was inserted; DDL that may concern an event table\n"));
  EXPECT_THAT(text, HasSubstr("5 transactions: 0 published (0 rows), 0 held at their XA PREPARE, "
                              "5 skipped\n"));
}

TEST_F(InspectorTest, CountsAStatementAsAnAlarm) {
  const std::string text = Printed({LoggedTransaction::Statement("DELETE FROM outbox")});
  EXPECT_THAT(text, HasSubstr("  => ALARM: a change in statement format, whose rows are not in the "
                              "log: DELETE FROM outbox\n"));
  EXPECT_THAT(text, HasSubstr("1 skipped; 1 alarms\n"));
}

TEST_F(InspectorTest, FollowsAPreparedTransactionToItsCommit) {
  const std::string text = Printed({LoggedTransaction::Xa(Kind::kXaPrepare, {"a"}),
                                    {"b"},
                                    LoggedTransaction::Xa(Kind::kXaCommit)});
  EXPECT_THAT(text,
              HasSubstr("  => held: XA transaction X'78',X'',1 is prepared; its rows wait for "
                        "XA COMMIT\n"));
  EXPECT_THAT(text, HasSubstr("  => published as 11111111-1111-1111-1111-111111111111:3, the rows "
                              "of XA transaction X'78',X'',1:\n     1. shop.outbox  id='a'"));
  EXPECT_THAT(text, HasSubstr("3 transactions: 2 published (2 rows), 1 held at their XA PREPARE, "
                              "0 skipped\n"));
}

TEST_F(InspectorTest, TellsDecisionsThatPublishNothingApart) {
  EXPECT_THAT(Printed({LoggedTransaction::Xa(Kind::kXaPrepare, {"a"}),
                       LoggedTransaction::Xa(Kind::kXaRollback)}),
              HasSubstr("  => dropped: XA transaction X'78',X'',1 was rolled back\n"));
  EXPECT_THAT(
      Printed({LoggedTransaction::Xa(Kind::kXaPrepare), LoggedTransaction::Xa(Kind::kXaCommit)}),
      AllOf(HasSubstr("is prepared without rows of event tables\n"),
            HasSubstr("  => skipped: XA transaction X'78',X'',1 has no rows")));
  EXPECT_THAT(Printed({LoggedTransaction::Xa(Kind::kXaCommit)}),
              HasSubstr("  => NOT PUBLISHED: the PREPARE of XA transaction X'78',X'',1 was not "
                        "seen\n"));
}

TEST_F(InspectorTest, PrintsNothingBeforeThePlaceItBeginsAt) {
  const std::string text = Printed({{"a"}, {"b"}}, 370);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("id='a'")), HasSubstr("id='b'"),
                          Not(HasSubstr("FORMAT_DESCRIPTION"))));
  EXPECT_THAT(text, HasSubstr("1 transactions: 1 published (1 rows)"));
}

TEST_F(InspectorTest, GoesOnBehindARowThatCannotBeShownWhereNobodySaidWhatIsRead) {
  const std::string text = Printed({LoggedTransaction{"a"}.LeaveOutKeys(), {"b"}});
  EXPECT_THAT(text,
              HasSubstr("     1. cannot be shown, nor can those behind it in its transaction: "
                        "table shop.outbox: column 'aggregateid' is missing"));
  EXPECT_THAT(text, HasSubstr("id='b'"));
}

class WantedColumnsTest : public InspectorTest {
 protected:
  WantedColumnsTest() : InspectorTest({"id", "payload"}, binlog::WholeRow::kNo) {}
};

TEST_F(WantedColumnsTest, ShowsWhatTheRelayReadsThoughOtherColumnsAreMissing) {
  const std::string text = Printed({LoggedTransaction{"a"}.LeaveOutKeys()});
  EXPECT_THAT(text, HasSubstr("     1. shop.outbox  id='a'  payload='p'\n"));
}

class WholeRowTest : public InspectorTest {
 protected:
  WholeRowTest() : InspectorTest({"payload", "id"}, binlog::WholeRow::kNamed) {}
};

TEST_F(WholeRowTest, ShowsEachColumnOnce) {
  EXPECT_THAT(Printed({{"a"}}), HasSubstr("     1. shop.outbox  id='a'  aggregatetype='order'  "
                                          "aggregateid='k'  payload='p'\n"));
}

class WantedKeyTest : public InspectorTest {
 protected:
  WantedKeyTest() : InspectorTest({"id", "aggregateid"}, binlog::WholeRow::kNo) {}
};

TEST_F(WantedKeyTest, StopsWhereTheRelayWouldStop) {
  source_.transactions = {LoggedTransaction{"a"}.LeaveOutKeys()};
  testing::internal::CaptureStdout();
  inspector_.Begin(source_.Open({}, {}).value(), {}, 0);
  Result<void> taken;
  while (taken && !source_.AtEnd()) taken = inspector_.Take(source_.Next().value());
  const std::string text = testing::internal::GetCapturedStdout();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ExitCode::kUndecodable);
  EXPECT_THAT(text, HasSubstr("  => NOT PUBLISHED: STOP at row 1 of "
                              "11111111-1111-1111-1111-111111111111:1: table shop.outbox: column "
                              "'aggregateid' is"));
  EXPECT_THAT(text, Not(HasSubstr("published as")));
  testing::internal::CaptureStdout();
  inspector_.PrintSummary();
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              HasSubstr("1 transactions: 0 published (0 rows), 0 held at their XA PREPARE, "
                        "0 skipped; 1 cannot be published\n"));
}

TEST_F(InspectorTest, ShowsTheEventThatItStopsAtAndWhy) {
  Printed({});
  testing::internal::CaptureStdout();
  const auto taken =
      inspector_.Take(MakeEvent(binlog::EventType::kXid, binlog::EventBytes().Little(1, 8), 900));
  const std::string text = testing::internal::GetCapturedStdout();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ExitCode::kUndecodable);
  EXPECT_THAT(text, testing::ContainsRegex("XID +commits\n  => STOP: at binlog.000001:[0-9]+: "));
}

// A log that ends within a transaction, or goes on with another file there.
class CutOffTest : public InspectorTest {
 protected:
  // What it prints of the first `events` of a log with one transaction that inserts a row, and then
  // of `next`, or at the end of the stream.
  std::string PrintedOf(int events, const std::vector<std::uint8_t>& next = {}) {
    source_.transactions = {{"a"}};
    testing::internal::CaptureStdout();
    inspector_.Begin(source_.Open({}, {}).value(), {}, 0);
    for (int i = 0; i < events; ++i) EXPECT_TRUE(inspector_.Take(source_.Next().value()));
    if (next.empty()) {
      inspector_.End();
    } else {
      EXPECT_TRUE(inspector_.Take(next));
    }
    inspector_.PrintSummary();
    return testing::internal::GetCapturedStdout();
  }
  // In front of the transaction there are a ROTATE and a FORMAT_DESCRIPTION; it is a GTID, BEGIN,
  // a table map, the row and XID.
  static constexpr int kToTheGtid = 3, kToTheRow = 6, kToTheXid = 7;
};

TEST_F(CutOffTest, TheEndOfAFileIsToldWithinATransaction) {
  EXPECT_THAT(PrintedOf(kToTheRow),
              HasSubstr("  => NOT PUBLISHED: transaction 11111111-1111-1111-1111-111111111111:1 "
                        "has no end, its rows of event tables do not count: the file ends, so"));
  EXPECT_THAT(PrintedOf(kToTheGtid), HasSubstr(":1 has no end: the file ends"));
  const std::string whole = PrintedOf(kToTheXid);
  EXPECT_THAT(whole, AllOf(Not(HasSubstr("has no end")), HasSubstr("published as")));
}

TEST_F(CutOffTest, AnotherFileIsToldWithinATransaction) {
  binlog::EventBytes format;
  format.Little(4, 2).Text("9.7.4").Text(std::string(45, '\0')).Little(0, 4).Little(19, 1);
  const auto next = MakeEvent(binlog::EventType::kFormatDescription,
                              format.Text(std::string(42, '\x01')).Little(0, 5), 126);
  const std::string cut = PrintedOf(kToTheRow, next);
  EXPECT_THAT(cut, HasSubstr(":1 has no end, its rows of event tables do not count: another file "
                             "begins, so that the server crashed within it\n"));
  EXPECT_THAT(cut, HasSubstr("0 skipped; 1 without end\n"));
  EXPECT_THAT(PrintedOf(kToTheXid, next), Not(HasSubstr("has no end")));
}

}  // namespace
}  // namespace outboxd
