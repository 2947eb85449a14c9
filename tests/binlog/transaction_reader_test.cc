#include "binlog/transaction_reader.h"

#include <gtest/gtest.h>

#include "tests/binlog/event_bytes.h"

namespace outboxd::binlog {
namespace {

using Outcome = TransactionReader::Outcome;

constexpr std::uint64_t kOutboxId = 70;
constexpr std::uint64_t kForeignId = 71;

// Feeds a stream without checksums to a reader that watches shop.outbox.
class TransactionReaderTest : public ::testing::Test {
 protected:
  TransactionReaderTest()
      : filter_({{"shop", "outbox", {"id"}, {}}}), reader_(filter_, {::testing::TempDir()}) {
    Open({});
    Rotate("binlog.000001", 4);
    FormatDescription();
  }

  void Open(const Position& from) {
    reader_.Reset({.server_uuid = {}, .by_gtid = true, .has_checksums = false}, from);
  }
  Result<Outcome> Feed(EventType type, const EventBytes& body, std::uint16_t flags = 0) {
    end_ += static_cast<std::uint32_t>(kEventHeaderBytes + body.bytes().size());
    return reader_.Feed(MakeEvent(type, body, end_, flags));
  }
  void Rotate(std::string_view file, std::uint64_t offset) {
    const auto event = MakeEvent(EventType::kRotate, EventBytes().Little(offset, 8).Text(file), 0,
                                 EventHeader::kArtificial);
    ASSERT_TRUE(reader_.Feed(event));
    end_ = static_cast<std::uint32_t>(offset);
  }
  void FormatDescription() {
    EventBytes body;
    body.Little(4, 2).Text("9.7.4").Text(std::string(45, '\0')).Little(0, 4).Little(19, 1);
    body.Text(std::string(42, '\x01')).Little(0, 1).Little(0, 4);
    ASSERT_TRUE(Feed(EventType::kFormatDescription, body));
  }
  void Gtid(std::uint64_t number) {
    EventBytes body;
    body.Little(0, 1).Text(std::string(16, '\x11')).Little(number, 8);
    ASSERT_EQ(Feed(EventType::kGtid, body), Outcome::kNothing);
  }
  Result<Outcome> Query(std::string_view text) {
    EventBytes body;
    body.Little(0, 8).Little(0, 1).Little(0, 2).Little(0, 2).Little(0, 1).Text(text);
    return Feed(EventType::kQuery, body);
  }
  void TableMap(std::uint64_t id, std::string_view schema, std::string_view table) {
    EventBytes body;
    body.Little(id, 6).Little(1, 2).Little(schema.size(), 1).Text(schema).Little(0, 1);
    body.Little(table.size(), 1).Text(table).Little(0, 1);
    body.Little(1, 1).Little(3, 1).Little(0, 1).Little(0, 1);  // One INT, not null.
    ASSERT_EQ(Feed(EventType::kTableMap, body), Outcome::kNothing);
  }
  Result<Outcome> Rows(EventType type, std::uint64_t id, bool ends_statement = true) {
    EventBytes body;
    body.Little(id, 6).Little(ends_statement ? 1 : 0, 2).Little(2, 2).Little(1, 1).Little(1, 1);
    return Feed(type, body.Little(0, 1).Little(42, 4));
  }
  void Insert() {
    TableMap(kOutboxId, "shop", "outbox");
    ASSERT_EQ(Rows(EventType::kWriteRows, kOutboxId), Outcome::kNothing);
  }
  Result<Outcome> Xid() { return Feed(EventType::kXid, EventBytes().Little(1, 8)); }
  int KeptRowsEvents() {
    int count = 0;
    reader_.rows().Rewind();
    for (auto record = reader_.rows().Next(); record && *record; record = reader_.rows().Next()) {
      if ((*record)->type == EventType::kWriteRows) ++count;
    }
    return count;
  }

  TableFilter filter_;
  TransactionReader reader_;
  std::uint32_t end_ = 4;
};

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
  ASSERT_TRUE(Rows(EventType::kWriteRows, kForeignId, false));
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
  ASSERT_TRUE(Rows(EventType::kUpdateRows, kOutboxId, false));
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
  EventBytes body;
  body.Little(0, 1).Text(std::string(16, '\x11')).Little(2, 8);
  const auto outcome = Feed(EventType::kGtid, body);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kCorrupt);
}

TEST_F(TransactionReaderTest, ADdlIsAGroupOfItsOwnAndMovesThePosition) {
  Gtid(7);
  EXPECT_EQ(Query("CREATE TABLE t (id INT)"), Outcome::kTransaction);
  EXPECT_FALSE(reader_.transaction().has_rows);
  EXPECT_EQ(reader_.position().gtids.ToText(), "11111111-1111-1111-1111-111111111111:7");
}

TEST_F(TransactionReaderTest, AOnePhaseXaCommitsAtItsPrepare) {
  Gtid(1);
  ASSERT_TRUE(Query("XA START X'61',X'',1"));
  Insert();
  ASSERT_TRUE(Query("XA END X'61',X'',1"));
  EXPECT_EQ(Feed(EventType::kXaPrepare, EventBytes().Little(1, 1)), Outcome::kTransaction);
  EXPECT_EQ(reader_.transaction().xa, XaStep::kNone);
  EXPECT_TRUE(reader_.transaction().has_rows);
}

TEST_F(TransactionReaderTest, APreparedXaPublishesNothingBeforeItsCommit) {
  Gtid(1);
  ASSERT_TRUE(Query("XA START X'61',X'',1"));
  Insert();
  ASSERT_TRUE(Query("XA END X'61',X'',1"));
  ASSERT_EQ(Feed(EventType::kXaPrepare, EventBytes().Little(0, 1)), Outcome::kTransaction);
  EXPECT_EQ(reader_.transaction().xa, XaStep::kHeld);
  EXPECT_FALSE(reader_.transaction().has_rows);
  Gtid(2);
  ASSERT_EQ(Query("XA COMMIT X'61',X'',1"), Outcome::kTransaction);
  EXPECT_TRUE(reader_.transaction().has_rows);
  EXPECT_EQ(KeptRowsEvents(), 1);
  ASSERT_TRUE(reader_.transaction().prepared_gtid);
  EXPECT_EQ(reader_.transaction().prepared_gtid->number, 1u);
  EXPECT_EQ(reader_.transaction().gtid->number, 2u);
}

TEST_F(TransactionReaderTest, StopsAtAnEventItDoesNotKnowUnlessItMayBeIgnored) {
  const auto unknown = static_cast<EventType>(36 + 2 - 2);  // TRANSACTION_CONTEXT between groups.
  const auto refused = Feed(unknown, EventBytes());
  ASSERT_FALSE(refused);
  EXPECT_EQ(Feed(unknown, EventBytes(), EventHeader::kIgnorable), Outcome::kNothing);
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

TEST_F(TransactionReaderTest, CarriesTheOffsetBeyond32Bits) {
  Open({.gtids = {}, .file = "binlog.000001", .offset = 0xFFFFFF00});
  end_ = 0xFFFFFF00;
  Gtid(1);
  ASSERT_TRUE(Query("BEGIN"));
  ASSERT_TRUE(Query(std::string(400, 'x')));  // Crosses 4 GiB: log_pos wraps.
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(reader_.position().offset, 0x100000000ull + end_);
}

TEST_F(TransactionReaderTest, AStreamByFileCollectsNoGtids) {
  reader_.Reset({.server_uuid = {}, .by_gtid = false, .has_checksums = false}, {});
  Gtid(5);
  ASSERT_EQ(Query("CREATE TABLE t (id INT)"), Outcome::kTransaction);
  EXPECT_TRUE(reader_.position().gtids.empty());
}

TEST_F(TransactionReaderTest, TellsThatANewFileHasBegun) {
  const auto event = MakeEvent(EventType::kRotate, EventBytes().Little(4, 8).Text("binlog.000002"),
                               0, EventHeader::kArtificial);
  EXPECT_EQ(reader_.Feed(event), Outcome::kNewFile);
  EXPECT_EQ(reader_.position().file, "binlog.000002");
  EXPECT_EQ(reader_.position().offset, 4u);
}

TEST_F(TransactionReaderTest, RejectsAWrongChecksum) {
  reader_.Reset({.server_uuid = {}, .by_gtid = true, .has_checksums = true}, {});
  const auto outcome = Feed(EventType::kHeartbeat, EventBytes().Text("binlog.000001").Little(0, 4));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace outboxd::binlog
