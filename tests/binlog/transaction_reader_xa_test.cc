// XA transactions in TransactionReader: prepared in one group, decided in another.

#include <gtest/gtest.h>

#include <string>

#include "tests/binlog/event_stream.h"
#include "tests/binlog/payload_bytes.h"

namespace outboxd::binlog {
namespace {

const std::string kXid = "X'6a',X'',1";

class XaReaderTest : public EventStreamTest {
 protected:
  Result<Outcome> Prepare(std::uint64_t number, bool has_rows = true,
                          const std::string& xid = kXid) {
    Gtid(number);
    EXPECT_EQ(Query("XA START " + xid), Outcome::kNothing);
    if (has_rows) Insert();
    EXPECT_EQ(Query("XA END " + xid), Outcome::kNothing);
    return Feed(EventType::kXaPrepare, XaPrepareBody(false));
  }
  void Decide(std::uint64_t number, const std::string& verb, const std::string& xid = kXid) {
    Gtid(number);
    ASSERT_EQ(Query("XA " + verb + " " + xid), Outcome::kTransaction);
  }
  void ExpectPublishedBy(std::uint64_t prepared_number) {
    EXPECT_EQ(transaction().xa, XaStep::kCommitted);
    EXPECT_FALSE(transaction().xa_is_unknown);
    EXPECT_TRUE(transaction().has_rows);
    EXPECT_EQ(KeptRowsEvents(), 1);
    ASSERT_TRUE(transaction().prepared_gtid);
    EXPECT_EQ(transaction().prepared_gtid->number, prepared_number);
    EXPECT_EQ(reader_.prepared().held_count(), 0u);
  }
  void ExpectNothingPublished(bool is_unknown) {
    EXPECT_EQ(transaction().xa_is_unknown, is_unknown);
    EXPECT_FALSE(transaction().has_rows);
    EXPECT_EQ(KeptRowsEvents(), 0);
    EXPECT_FALSE(transaction().prepared_gtid);
  }
};

TEST_F(XaReaderTest, AOnePhaseXaCommitsAtItsPrepare) {
  Gtid(1);
  ASSERT_TRUE(Query("XA START X'61',X'',1"));
  Insert();
  ASSERT_TRUE(Query("XA END X'61',X'',1"));
  EXPECT_EQ(Feed(EventType::kXaPrepare, XaPrepareBody(true)), Outcome::kTransaction);
  EXPECT_EQ(transaction().xa, XaStep::kNone);
  EXPECT_TRUE(transaction().has_rows);
}

TEST_F(XaReaderTest, APreparedXaPublishesNothingBeforeItsCommit) {
  Gtid(1);
  ASSERT_TRUE(Query("XA START X'61',X'',1"));
  Insert();
  ASSERT_TRUE(Query("XA END X'61',X'',1"));
  ASSERT_EQ(Feed(EventType::kXaPrepare, XaPrepareBody(false)), Outcome::kTransaction);
  EXPECT_EQ(transaction().xa, XaStep::kHeld);
  EXPECT_FALSE(transaction().has_rows);
  Gtid(2);
  ASSERT_EQ(Query("XA COMMIT X'61',X'',1"), Outcome::kTransaction);
  EXPECT_TRUE(transaction().has_rows);
  EXPECT_EQ(KeptRowsEvents(), 1);
  ASSERT_TRUE(transaction().prepared_gtid);
  EXPECT_EQ(transaction().prepared_gtid->number, 1u);
  EXPECT_EQ(transaction().gtid->number, 2u);
}

TEST_F(XaReaderTest, APreparedOneIsBehindThePositionButStillHeld) {
  ASSERT_EQ(Prepare(1), Outcome::kTransaction);
  EXPECT_EQ(transaction().xid, "X'6A',X'',1");
  EXPECT_EQ(gtids(), "1");
  EXPECT_EQ(reader_.position().offset, end_);
  EXPECT_EQ(transaction().end_offset, end_);
  EXPECT_EQ(reader_.prepared().held_gtids(), reader_.position().gtids);
  EXPECT_EQ(reader_.prepared().oldest()->end_offset, end_);
}

TEST_F(XaReaderTest, ARollbackDropsTheRows) {
  ASSERT_TRUE(Prepare(1));
  Decide(2, "ROLLBACK");
  EXPECT_EQ(transaction().xa, XaStep::kRolledBack);
  EXPECT_FALSE(transaction().xa_is_unknown);
  EXPECT_FALSE(transaction().has_rows);
  EXPECT_EQ(KeptRowsEvents(), 0);
  EXPECT_EQ(transaction().prepared_gtid->number, 1u);
  EXPECT_EQ(reader_.prepared().held_count(), 0u);
}

TEST_F(XaReaderTest, OneWithoutRowsJoinsAtOnceAndIsKnownAtItsDecision) {
  ASSERT_EQ(Prepare(1, false), Outcome::kTransaction);
  EXPECT_EQ(transaction().xa, XaStep::kPrepared);
  EXPECT_EQ(reader_.prepared().held_count(), 0u);
  Decide(2, "COMMIT");
  EXPECT_EQ(transaction().xa, XaStep::kCommitted);
  ExpectNothingPublished(false);
  EXPECT_EQ(gtids(), "1-2");
}

TEST_F(XaReaderTest, TheDecisionAboutAnUnknownOneIsToldAsSuch) {
  for (const char* verb : {"COMMIT", "ROLLBACK"}) {
    Decide(1, verb);
    ExpectNothingPublished(true);
  }
}

TEST_F(XaReaderTest, TheDigitsOfItsNameMayBeOfEitherCase) {
  ASSERT_TRUE(Prepare(1));
  Decide(2, "COMMIT", "X'6A',X'',1");
  ExpectPublishedBy(1);
}

TEST_F(XaReaderTest, EveryPartOfTheNameCounts) {
  ASSERT_TRUE(Prepare(1));
  for (const char* other : {"X'6b',X'',1", "X'6a',X'00',1", "X'6a',X'',2", "X'6a00',X'',1"}) {
    Decide(2, "COMMIT", other);
    ExpectNothingPublished(true);
  }
  Decide(3, "COMMIT");
  ExpectPublishedBy(1);
}

TEST_F(XaReaderTest, OthersAndANewFileMayStandBetween) {
  ASSERT_TRUE(Prepare(1));
  Transact(2);
  EXPECT_EQ(KeptRowsEvents(), 1);
  NextFile("binlog.000002");
  Transact(3);
  Decide(4, "COMMIT");
  ExpectPublishedBy(1);
  EXPECT_EQ(transaction().file, "binlog.000002");
  EXPECT_EQ(gtids(), "1-4");
}

TEST_F(XaReaderTest, SeveralAreDecidedInAnyOrder) {
  ASSERT_TRUE(Prepare(1, true, "X'01',X'',1"));
  ASSERT_TRUE(Prepare(2, true, "X'02',X'',1"));
  Decide(3, "COMMIT", "X'02',X'',1");
  EXPECT_EQ(transaction().prepared_gtid->number, 2u);
  EXPECT_EQ(reader_.prepared().oldest()->gtid->number, 1u);
  Decide(4, "COMMIT", "X'01',X'',1");
  ExpectPublishedBy(1);
}

TEST_F(XaReaderTest, AReconnectKeepsWhatIsPrepared) {
  ASSERT_TRUE(Prepare(1));
  Open(Position(reader_.position()));
  Decide(2, "COMMIT");
  ExpectPublishedBy(1);
}

TEST_F(XaReaderTest, ARestartForgetsWhatIsPreparedButForTheNamesItIsGiven) {
  ASSERT_TRUE(Prepare(1));
  reader_.ForgetPrepared({"X'77',X'',1"});
  Open({});
  Decide(2, "COMMIT");
  ExpectNothingPublished(true);
  Decide(3, "COMMIT", "X'77',X'',1");
  ExpectNothingPublished(false);
}

TEST_F(XaReaderTest, TwoOfOneNameWithoutADecisionAreRefused) {
  ASSERT_TRUE(Prepare(1));
  EXPECT_EQ(ErrorOf(Prepare(2)), ErrorKind::kUndecodable);
}

TEST_F(XaReaderTest, OneThatACrashCutOffIsNotPrepared) {
  Gtid(1);
  ASSERT_TRUE(Query("XA START " + kXid));
  Insert();
  NextFile("binlog.000002");
  EXPECT_EQ(reader_.prepared().held_count(), 0u);
  Decide(1, "COMMIT");
  ExpectNothingPublished(true);
}

TEST_F(XaReaderTest, ACompressedOneIsPreparedByItsPayload) {
  EventBytes events;
  for (const auto& event :
       {MakeEvent(EventType::kQuery, QueryBody("XA START " + kXid), 0),
        MakeEvent(EventType::kTableMap, TableMapBody(kOutboxId, "shop", "outbox"), 0),
        MakeEvent(EventType::kWriteRows, RowsBody(kOutboxId), 0),
        MakeEvent(EventType::kQuery, QueryBody("XA END " + kXid), 0),
        MakeEvent(EventType::kXaPrepare, XaPrepareBody(false), 0)}) {
    events.Text(AsText(event));
  }
  Gtid(1);
  ASSERT_EQ(Feed(EventType::kTransactionPayload, CompressedBody(events.bytes())),
            Outcome::kTransaction);
  EXPECT_EQ(transaction().xa, XaStep::kHeld);
  EXPECT_EQ(reader_.prepared().oldest()->end_offset, end_);
  Decide(2, "COMMIT");
  ExpectPublishedBy(1);
}

TEST_F(XaReaderTest, InAStreamByFileADecisionThatWasReadIsPassedOver) {
  ASSERT_TRUE(Prepare(1));
  Decide(2, "COMMIT");
  Open(Position(reader_.position()), false);
  for (const char* verb : {"COMMIT", "ROLLBACK"}) {
    Decide(2, verb);
    EXPECT_EQ(transaction().xa, XaStep::kNone);
    ExpectNothingPublished(false);
  }
  ASSERT_EQ(Prepare(1), Outcome::kTransaction);
  EXPECT_EQ(reader_.prepared().held_count(), 0u);
}

TEST_F(XaReaderTest, APrepareOfATransactionWithoutANameIsCorrupt) {
  for (const bool has_rows : {true, false}) {
    Open({});
    Begin(1);
    if (has_rows) Insert();
    const auto refused = Feed(EventType::kXaPrepare, XaPrepareBody(false));
    ASSERT_EQ(ErrorOf(refused), ErrorKind::kCorrupt);
    EXPECT_NE(refused.error().message.find("XA START did not begin"), std::string::npos);
    EXPECT_EQ(gtids(), "");
    EXPECT_EQ(reader_.prepared().held_count(), 0u);
  }
}

TEST_F(XaReaderTest, AnEmptyPrepareEventIsCorrupt) {
  Gtid(1);
  ASSERT_TRUE(Query("XA START " + kXid));
  EXPECT_EQ(ErrorOf(Feed(EventType::kXaPrepare, EventBytes())), ErrorKind::kCorrupt);
}

// All rows go to the spill directory, which holds 16 inserts of the 53 bytes that one takes there.
class FullSpillTest : public EventStreamTest {
 protected:
  static constexpr std::uint64_t kInsertBytes = 53;

  FullSpillTest() : EventStreamTest(false, false, {testing::TempDir(), 0, 16 * kInsertBytes}) {}

  void Prepare(std::uint64_t number, const std::string& xid, int inserts) {
    Gtid(number);
    ASSERT_TRUE(Query("XA START " + xid));
    for (int i = 0; i < inserts; ++i) Insert();
    ASSERT_EQ(Feed(EventType::kXaPrepare, XaPrepareBody(false)), Outcome::kTransaction);
  }
};

TEST_F(FullSpillTest, ThePreparedOnesCountAndTheLargestAreNamed) {
  const std::uint64_t begin = end_;
  Prepare(1, "X'61',X'',1", 3);
  const std::uint64_t begin_of_large = end_;
  Prepare(2, "X'62',X'',1", 6);
  for (std::uint64_t number = 3; number <= 5; ++number) {
    Prepare(number, "X'6" + std::to_string(number) + "',X'',1", 2);
  }
  const std::uint64_t begin_of_plain = end_;
  Begin(6);
  Insert();
  const auto refused = Feed(EventType::kTableMap, TableMapBody(kOutboxId, "shop", "outbox"));
  ASSERT_EQ(ErrorOf(refused), ErrorKind::kSpill);
  const auto of = [](std::uint64_t inserts) { return std::to_string(inserts * kInsertBytes); };
  const std::string& text = refused.error().message;
  EXPECT_NE(text.find("would take more than " + of(16) + " bytes; "), std::string::npos) << text;
  EXPECT_NE(text.find(of(6) + " of XA transaction X'62',X'',1, prepared at binlog.000001:" +
                      std::to_string(begin_of_large) + ", " + of(3) +
                      " of XA transaction X'61',X'',1, prepared at binlog.000001:" +
                      std::to_string(begin)),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(" of the transaction at binlog.000001:" + std::to_string(begin_of_plain)),
            std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with(", " + of(4) + " of others")) << text;
}

}  // namespace
}  // namespace outboxd::binlog
