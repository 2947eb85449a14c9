#include "binlog/transaction_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/binlog/event_stream.h"

namespace outboxd::binlog {
namespace {

constexpr std::uint64_t kDummyId = 0xFFFFFF;

class TransactionReaderTest : public EventStreamTest {};

TEST_F(TransactionReaderTest, YieldsATransactionOnlyAtItsTerminator) {
  Gtid(1);
  EXPECT_EQ(Query("BEGIN"), Outcome::kNothing);
  Insert();
  EXPECT_TRUE(reader_.position().gtids.empty());
  EXPECT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_TRUE(reader_.transaction().has_rows);
  EXPECT_EQ(KeptRowsEvents(), 1);
  EXPECT_EQ(reader_.position().gtids.ToText(), "11111111-1111-1111-1111-111111111111:1");
  EXPECT_EQ(reader_.position().offset, end_);
}

TEST_F(TransactionReaderTest, TakesACommitStatementForATerminator) {
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  Insert();
  EXPECT_EQ(Query("COMMIT"), Outcome::kTransaction);
  EXPECT_TRUE(reader_.transaction().has_rows);
}

TEST_F(TransactionReaderTest, KeepsNothingOfOtherTables) {
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  TableMap(kForeignId, "shop", "orders");
  ASSERT_TRUE(Rows(EventType::kWriteRows, kForeignId));
  EXPECT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_FALSE(reader_.transaction().has_rows);
  EXPECT_EQ(reader_.rows().size(), 0u);
}

TEST_F(TransactionReaderTest, KeepsMapsOfOneStatementUntilItsEnd) {
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  TableMap(kForeignId, "shop", "orders");
  TableMap(kOutboxId, "shop", "outbox");
  ASSERT_TRUE(Rows(EventType::kWriteRows, kForeignId, 0));
  ASSERT_TRUE(Rows(EventType::kWriteRows, kOutboxId));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(KeptRowsEvents(), 1);
}

TEST_F(TransactionReaderTest, ATableIdMeansAnotherTableAfterTheStatement) {
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  Insert();
  TableMap(kOutboxId, "shop", "orders");
  ASSERT_TRUE(Rows(EventType::kWriteRows, kOutboxId));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(KeptRowsEvents(), 1);
}

TEST_F(TransactionReaderTest, CountsUpdatesAndDeletesButPublishesNone) {
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  TableMap(kOutboxId, "shop", "outbox");
  ASSERT_TRUE(Rows(EventType::kUpdateRows, kOutboxId, 0));
  ASSERT_TRUE(Rows(EventType::kDeleteRows, kOutboxId));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_FALSE(reader_.transaction().has_rows);
  EXPECT_EQ(reader_.transaction().updates, 1u);
  EXPECT_EQ(reader_.transaction().deletes, 1u);
}

TEST_F(TransactionReaderTest, DropsTheRowsOfALoggedRollback) {
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  Insert();
  EXPECT_EQ(Query("ROLLBACK"), Outcome::kTransaction);
  EXPECT_FALSE(reader_.transaction().has_rows);
  EXPECT_EQ(KeptRowsEvents(), 0);
}

TEST_F(TransactionReaderTest, DropsTheRowsBehindASavepointThatWasRolledBackTo) {
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  Insert();
  ASSERT_TRUE(Query("SAVEPOINT `s`"));
  Insert();
  ASSERT_TRUE(Query("ROLLBACK TO `s`"));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(KeptRowsEvents(), 1);
}

TEST_F(TransactionReaderTest, StopsAtARollbackToASavepointItNeverSaw) {
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  const auto outcome = Query("ROLLBACK TO `s`");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kUndecodable);
}

TEST_F(TransactionReaderTest, ATransactionWithoutTerminatorBeforeANewFileWasNeverCommitted) {
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  Insert();
  Rotate("binlog.000002", 4);
  FormatDescription();
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_FALSE(reader_.transaction().has_rows);
  EXPECT_EQ(KeptRowsEvents(), 0);
}

TEST_F(TransactionReaderTest, AGtidWithinAnOpenTransactionIsCorrupt) {
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  const auto outcome = Feed(EventType::kGtid, GtidBody(2));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kCorrupt);
}

TEST_F(TransactionReaderTest, ADdlIsAGroupOfItsOwnAndMovesThePosition) {
  Gtid(7);
  EXPECT_EQ(Query("CREATE TABLE t (id INT)"), Outcome::kTransaction);
  EXPECT_FALSE(reader_.transaction().has_rows);
  EXPECT_EQ(reader_.position().gtids.ToText(), "11111111-1111-1111-1111-111111111111:7");
}

// Types below the server's highest that this version gives no meaning: 7 was never written by a
// server of today, 36 stands within a group only.
TEST_F(TransactionReaderTest, StopsAtAnEventItDoesNotKnowUnlessItMayBeIgnored) {
  for (const auto unknown : {static_cast<EventType>(7), EventType::kTransactionContext}) {
    EXPECT_TRUE(ErrorOf(Feed(unknown, EventBytes())));
    EXPECT_EQ(Feed(unknown, EventBytes(), EventHeader::kIgnorable), Outcome::kNothing);
  }
}

TEST_F(TransactionReaderTest, AnUnknownEventWithinATransactionIsNeverPassedOver) {
  EventBytes body = FormatDescriptionBody();
  ASSERT_TRUE(Feed(EventType::kFormatDescription,
                   EventBytes()
                       .Text(AsText(body.bytes()).substr(0, 57))
                       .Text("xxx")
                       .Text(std::string(42, '\x01') + std::string(5, '\0'))));
  Begin(1);
  const auto later = static_cast<EventType>(44);
  EXPECT_EQ(Feed(later, EventBytes(), EventHeader::kIgnorable), Outcome::kNothing);
  Insert();
  const auto refused = Feed(later, EventBytes());
  EXPECT_EQ(ErrorOf(refused), ErrorKind::kUndecodable);
  EXPECT_NE(refused.error().message.find("type 44 within a transaction"), std::string::npos);
}

TEST_F(TransactionReaderTest, ATypeAboveWhatTheServerKnowsIsDamageEvenIfIgnorable) {
  const auto refused = Feed(static_cast<EventType>(99), EventBytes(), EventHeader::kIgnorable);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kCorrupt);
}

TEST_F(TransactionReaderTest, StopsWhenTheServerSaysThatItLostEvents) {
  const auto outcome =
      Feed(EventType::kIncident, EventBytes().Little(1, 2).Little(4, 1).Text("LOST"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kUndecodable);
  EXPECT_NE(outcome.error().message.find("LOST"), std::string::npos);
}

TEST_F(TransactionReaderTest, LostEventsStopATransactionToo) {
  Begin(1);
  Insert();
  EXPECT_EQ(ErrorOf(Feed(EventType::kIncident, EventBytes().Little(1, 2).Little(0, 1))),
            ErrorKind::kUndecodable);
}

TEST_F(TransactionReaderTest, AnEmptyTransactionJoinsTheSetToo) {
  Begin(3);
  EXPECT_EQ(Query("COMMIT"), Outcome::kTransaction);
  EXPECT_FALSE(transaction().has_rows);
  EXPECT_EQ(gtids(), "3");
}

TEST_F(TransactionReaderTest, AnAnonymousTransactionHasRowsButNoGtid) {
  ASSERT_EQ(Feed(EventType::kAnonymousGtid, GtidBody(0)), Outcome::kNothing);
  ASSERT_TRUE(Query("BEGIN"));
  Insert();
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_FALSE(transaction().gtid);
  EXPECT_TRUE(transaction().has_rows);
  EXPECT_EQ(gtids(), "");
}

TEST_F(TransactionReaderTest, AGroupWithoutGtidEventIsCorrupt) {
  EXPECT_EQ(ErrorOf(Query("BEGIN")), ErrorKind::kCorrupt);
}

// 9.6 and later set a further flag beside the statement's end.
TEST_F(TransactionReaderTest, TheEndOfAStatementIsOneFlagAmongOthers) {
  Begin(1);
  TableMap(kOutboxId, "shop", "outbox");
  ASSERT_TRUE(Rows(EventType::kWriteRows, kOutboxId, 16));
  ASSERT_TRUE(Rows(EventType::kWriteRows, kOutboxId, 17));
  EXPECT_EQ(ErrorOf(Rows(EventType::kWriteRows, kOutboxId, 17)), ErrorKind::kCorrupt);
  EXPECT_EQ(KeptRowsEvents(), 2);
}

TEST_F(TransactionReaderTest, TableIdsHave48Bits) {
  constexpr std::uint64_t kHigh = std::uint64_t{1} << 47;
  Begin(1);
  TableMap(kHigh | kOutboxId, "shop", "outbox");
  TableMap(kOutboxId, "shop", "orders");
  ASSERT_TRUE(Rows(EventType::kWriteRows, kOutboxId, 0));
  ASSERT_TRUE(Rows(EventType::kWriteRows, kHigh | kOutboxId));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(KeptRowsEvents(), 1);
}

// The server ends a statement by it whose rows it has left out.
TEST_F(TransactionReaderTest, RowsOfTheDummyTableEndTheStatement) {
  Begin(1);
  TableMap(kOutboxId, "shop", "outbox");
  ASSERT_EQ(Rows(EventType::kWriteRows, kDummyId), Outcome::kNothing);
  EXPECT_FALSE(transaction().has_rows);
  EXPECT_EQ(ErrorOf(Rows(EventType::kWriteRows, kOutboxId)), ErrorKind::kCorrupt);
}

TEST_F(TransactionReaderTest, RowsOfTheDummyTableThatEndNothingAreCorrupt) {
  Begin(1);
  EXPECT_EQ(ErrorOf(Rows(EventType::kWriteRows, kDummyId, 0)), ErrorKind::kCorrupt);
}

// The ids of a server that has opened that many tables.
TEST_F(TransactionReaderTest, ATableMayHaveTheIdOfTheDummy) {
  Begin(1);
  TableMap(kDummyId, "shop", "outbox");
  ASSERT_TRUE(Rows(EventType::kWriteRows, kDummyId));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(KeptRowsEvents(), 1);
}

TEST_F(TransactionReaderTest, RowsWithoutATableMapAreCorrupt) {
  for (const auto type : {EventType::kWriteRows, EventType::kWriteRowsV1, EventType::kUpdateRows,
                          EventType::kUpdateRowsV1, EventType::kPartialUpdateRows,
                          EventType::kDeleteRows, EventType::kDeleteRowsV1}) {
    Open({});
    Begin(1);
    TableMap(kForeignId, "shop", "orders");
    const auto refused = Rows(type, kOutboxId);
    ASSERT_EQ(ErrorOf(refused), ErrorKind::kCorrupt) << static_cast<int>(type);
    EXPECT_TRUE(refused.error().message.ends_with(": rows of table id 70 without a table map"))
        << refused.error().message;
  }
}

TEST_F(TransactionReaderTest, MapsOfTablesOfNoInterestEndWithTheirStatementToo) {
  Begin(1);
  TableMap(kForeignId, "shop", "orders");
  ASSERT_TRUE(Rows(EventType::kWriteRows, kForeignId, 0));
  ASSERT_TRUE(Rows(EventType::kWriteRows, kForeignId));
  EXPECT_EQ(ErrorOf(Rows(EventType::kWriteRows, kForeignId)), ErrorKind::kCorrupt);
}

TEST_F(TransactionReaderTest, MapsEndWithTheirTransaction) {
  Begin(1);
  TableMap(kForeignId, "shop", "orders");
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  Begin(2);
  EXPECT_EQ(ErrorOf(Rows(EventType::kWriteRows, kForeignId)), ErrorKind::kCorrupt);
}

TEST_F(TransactionReaderTest, KeepsRowsOfBothVersions) {
  Begin(1);
  TableMap(kOutboxId, "shop", "outbox");
  ASSERT_TRUE(Rows(EventType::kWriteRowsV1, kOutboxId, 0));
  ASSERT_TRUE(Rows(EventType::kDeleteRowsV1, kOutboxId));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(KeptRowsEvents(EventType::kWriteRowsV1), 1);
  EXPECT_EQ(transaction().deletes, 1u);
}

TEST_F(TransactionReaderTest, ARowsEventTooShortForItsTableIsCorrupt) {
  Begin(1);
  EXPECT_EQ(ErrorOf(Feed(EventType::kWriteRows, EventBytes().Little(1, 7))), ErrorKind::kCorrupt);
}

TEST_F(TransactionReaderTest, PassesOverWhatTellsNothingOfRows) {
  Begin(1);
  for (const auto type : {EventType::kRowsQuery, EventType::kTransactionContext,
                          EventType::kViewChange, EventType::kStop, EventType::kHeartbeat}) {
    EXPECT_EQ(Feed(type, EventBytes().Text("xx")), Outcome::kNothing) << static_cast<int>(type);
  }
  Insert();
  EXPECT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_TRUE(transaction().has_rows);
}

// The view change of a replication group.
TEST_F(TransactionReaderTest, AViewChangeMayStandAloneInItsGroup) {
  Gtid(1);
  EXPECT_EQ(Feed(EventType::kViewChange, EventBytes()), Outcome::kNothing);
  ASSERT_TRUE(Query("BEGIN"));
  EXPECT_EQ(Query("COMMIT"), Outcome::kTransaction);
}

TEST_F(TransactionReaderTest, OfSavepointsWithOneNameTheLatestCounts) {
  Begin(1);
  ASSERT_TRUE(Query("SAVEPOINT `s`"));
  Insert();
  ASSERT_TRUE(Query("SAVEPOINT `s`"));
  Insert();
  ASSERT_TRUE(Query("ROLLBACK TO `s`"));
  ASSERT_TRUE(Query("ROLLBACK TO `s`"));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(KeptRowsEvents(), 1);
}

// The server finds a savepoint in any case and logs the name as each statement has it.
TEST_F(TransactionReaderTest, TheNameOfASavepointIsWithoutCase) {
  Begin(1);
  ASSERT_TRUE(Query("SAVEPOINT `Before`"));
  Insert();
  ASSERT_EQ(Query("ROLLBACK TO `bEFORE`"), Outcome::kNothing);
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_FALSE(transaction().has_rows);
}

TEST_F(TransactionReaderTest, ATableMapInFrontOfASavepointIsNoRow) {
  Begin(1);
  TableMap(kOutboxId, "shop", "outbox");
  ASSERT_TRUE(Rows(EventType::kDeleteRows, kOutboxId));
  ASSERT_TRUE(Query("SAVEPOINT `s`"));
  Insert();
  ASSERT_TRUE(Query("ROLLBACK TO `s`"));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_FALSE(transaction().has_rows);
}

TEST_F(TransactionReaderTest, ASavepointBehindTheOneRolledBackToIsGone) {
  Begin(1);
  ASSERT_TRUE(Query("SAVEPOINT `a`"));
  ASSERT_TRUE(Query("SAVEPOINT `b`"));
  ASSERT_TRUE(Query("ROLLBACK TO `a`"));
  EXPECT_EQ(ErrorOf(Query("ROLLBACK TO `b`")), ErrorKind::kUndecodable);
}

TEST_F(TransactionReaderTest, ASavepointEndsWithItsTransaction) {
  Begin(1);
  ASSERT_TRUE(Query("SAVEPOINT `a`"));
  ASSERT_TRUE(Xid());
  Begin(2);
  EXPECT_EQ(ErrorOf(Query("ROLLBACK TO `a`")), ErrorKind::kUndecodable);
}

TEST_F(TransactionReaderTest, AReconnectForgetsTheOpenTransaction) {
  Transact(1);
  Begin(2);
  Insert();
  Open(Position(reader_.position()));
  Begin(2);
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(KeptRowsEvents(), 0);
  EXPECT_EQ(gtids(), "1-2");
}

TEST_F(TransactionReaderTest, AnErrorNamesThePlace) {
  Begin(1);
  const std::uint64_t at = end_;
  const auto refused = Query("BEGIN");
  ASSERT_EQ(ErrorOf(refused), ErrorKind::kCorrupt);
  EXPECT_TRUE(refused.error().message.starts_with("at binlog.000001:" + std::to_string(at)));
}

class UpdatesReaderTest : public EventStreamTest {
 protected:
  UpdatesReaderTest() : EventStreamTest(true) {}
};

TEST_F(UpdatesReaderTest, KeepsUpdatesWhereTheyAreTaken) {
  for (const auto type : {EventType::kUpdateRows, EventType::kUpdateRowsV1,
                          EventType::kPartialUpdateRows, EventType::kWriteRows}) {
    Begin(1);
    TableMap(kOutboxId, "shop", "outbox");
    ASSERT_TRUE(Rows(type, kOutboxId));
    ASSERT_EQ(Xid(), Outcome::kTransaction);
    EXPECT_TRUE(transaction().has_rows) << static_cast<int>(type);
    EXPECT_EQ(transaction().updates, 0u);
    EXPECT_EQ(KeptRowsEvents(type), 1);
  }
}

TEST_F(UpdatesReaderTest, CountsDeletesAndLeavesOtherTablesAlone) {
  Begin(1);
  TableMap(kOutboxId, "shop", "outbox");
  TableMap(kForeignId, "shop", "orders");
  ASSERT_TRUE(Rows(EventType::kUpdateRows, kForeignId, 0));
  ASSERT_TRUE(Rows(EventType::kDeleteRows, kOutboxId));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_FALSE(transaction().has_rows);
  EXPECT_EQ(transaction().deletes, 1u);
}

class ChangesReaderTest : public EventStreamTest {
 protected:
  ChangesReaderTest() : EventStreamTest(false, true) {}
};

TEST_F(ChangesReaderTest, KeepsRowsOfEveryKindAndCountsNone) {
  for (const auto type : {EventType::kWriteRows, EventType::kWriteRowsV1, EventType::kUpdateRows,
                          EventType::kUpdateRowsV1, EventType::kPartialUpdateRows,
                          EventType::kDeleteRows, EventType::kDeleteRowsV1}) {
    Begin(1);
    TableMap(kOutboxId, "shop", "outbox");
    ASSERT_TRUE(Rows(type, kOutboxId));
    ASSERT_EQ(Xid(), Outcome::kTransaction);
    EXPECT_TRUE(transaction().has_rows) << static_cast<int>(type);
    EXPECT_EQ(transaction().updates + transaction().deletes, 0u);
    EXPECT_EQ(KeptRowsEvents(type), 1);
  }
}

TEST_F(ChangesReaderTest, KeepsNothingOfOtherTables) {
  Begin(1);
  TableMap(kForeignId, "shop", "orders");
  ASSERT_TRUE(Rows(EventType::kUpdateRows, kForeignId, 0));
  ASSERT_TRUE(Rows(EventType::kDeleteRows, kForeignId));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_FALSE(transaction().has_rows);
  EXPECT_EQ(transaction().updates + transaction().deletes, 0u);
}

TEST_F(ChangesReaderTest, ADeleteIsHeldUntilTheDecisionOfItsXa) {
  Gtid(1);
  ASSERT_EQ(Query("XA START X'61',X'',1"), Outcome::kNothing);
  TableMap(kOutboxId, "shop", "outbox");
  ASSERT_TRUE(Rows(EventType::kDeleteRows, kOutboxId));
  ASSERT_TRUE(Query("XA END X'61',X'',1"));
  ASSERT_EQ(Feed(EventType::kXaPrepare, XaPrepareBody(false)), Outcome::kTransaction);
  EXPECT_EQ(transaction().xa, XaStep::kHeld);
  EXPECT_FALSE(transaction().has_rows);
  Gtid(2);
  ASSERT_EQ(Query("XA COMMIT X'61',X'',1"), Outcome::kTransaction);
  EXPECT_TRUE(transaction().has_rows);
  EXPECT_EQ(KeptRowsEvents(EventType::kDeleteRows), 1);
}

}  // namespace
}  // namespace outboxd::binlog
