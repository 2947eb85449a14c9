// What TransactionReader makes of the frame of a stream: files, offsets, checksums, GTID sets.

#include <gtest/gtest.h>

#include <string>

#include "tests/binlog/event_stream.h"

namespace outboxd::binlog {
namespace {

constexpr std::uint64_t k4GiB = std::uint64_t{1} << 32;

GtidSet Gtids(const std::string& numbers) {
  return GtidSet::Parse("11111111-1111-1111-1111-111111111111:" + numbers).value();
}

class ReaderPositionTest : public EventStreamTest {
 protected:
  void ExpectPosition(const std::string& file, std::uint64_t offset) const {
    EXPECT_EQ(reader_.position().file, file);
    EXPECT_EQ(reader_.position().offset, offset);
  }
  Result<Outcome> PreviousGtids(const std::string& numbers) {
    return Feed(EventType::kPreviousGtids, EventBytes().Text(Gtids(numbers).Encode()),
                EventHeader::kIgnorable);
  }
};

TEST_F(ReaderPositionTest, OffsetsGoOnBeyond32Bits) {
  Open({.gtids = {}, .file = "binlog.000001", .offset = k4GiB - 100});
  Begin(1);
  ASSERT_TRUE(Query(std::string(400, 'x')));  // Crosses 4 GiB: log_pos wraps.
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(transaction().begin_offset, k4GiB - 100);
  EXPECT_EQ(transaction().end_offset, end_);
  ExpectPosition("binlog.000001", end_);
  EXPECT_GT(end_, k4GiB);
  Transact(2);
  ExpectPosition("binlog.000001", end_);
}

// Where Debezium stops without GTIDs.
TEST_F(ReaderPositionTest, AnOffsetBehindTheFirstGroupsGtidEventWillDo) {
  Open({.gtids = {}, .file = "binlog.000001", .offset = 1000}, false);
  ASSERT_TRUE(Query("BEGIN"));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(transaction().begin_offset, 1000U);
  EXPECT_EQ(transaction().gtid, std::nullopt);
  ExpectPosition("binlog.000001", end_);
  EXPECT_FALSE(Query("BEGIN"));
}

TEST_F(ReaderPositionTest, DamageInFrontOfTheFirstTransactionSaysThatNoneMayBeginThere) {
  const Error damage{ErrorKind::kCorrupt, "damage"};
  Open({.gtids = {}, .file = "binlog.000001", .offset = 7}, false);
  EXPECT_EQ(reader_.Explained(damage).ToText(),
            "offset 7 of binlog.000001 is not where a transaction begins, or the log is damaged"
            " there HINT: 'outboxd inspect --server --from file:binlog.000001:4' shows the places"
            " in front of it");
  EXPECT_EQ(reader_.Explained(damage).kind, ErrorKind::kCorrupt);
  EXPECT_EQ(reader_.Explained({ErrorKind::kDisconnected, "gone"}).message, "gone");
  Gtid(1);
  EXPECT_EQ(reader_.Explained(damage).message, "damage");
  ASSERT_TRUE(Query("BEGIN"));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(reader_.Explained(damage).message, "damage") << "one has begun there";
  Open({.gtids = {}, .file = "binlog.000001", .offset = 4}, false);
  EXPECT_EQ(reader_.Explained(damage).message, "damage") << "the beginning of a file is given";
  Open({.gtids = Gtids("1-5"), .file = "binlog.000001", .offset = 1000}, true);
  EXPECT_EQ(reader_.Explained(damage).message, "damage") << "by GTID no offset is asked for";
}

TEST_F(ReaderPositionTest, BehindGtidsAGroupBeginsWithItsGtidEvent) {
  Open({.gtids = Gtids("1-5"), .file = "binlog.000001", .offset = 1000}, false);
  EXPECT_FALSE(Query("BEGIN"));
  Open({.gtids = {}, .file = "binlog.000001", .offset = 4}, false);
  EXPECT_FALSE(Query("BEGIN"));
}

TEST_F(ReaderPositionTest, AnEventMayBeginBeforeAndEndBehindAMultipleOf4GiB) {
  Open({.gtids = {}, .file = "binlog.000001", .offset = 3 * k4GiB - 10});
  Gtid(1);
  EXPECT_EQ(reader_.event_offset(), 3 * k4GiB - 10);
  ASSERT_TRUE(Query("BEGIN"));
  ASSERT_TRUE(Xid());
  ExpectPosition("binlog.000001", end_);
}

TEST_F(ReaderPositionTest, ANewFileBeginsBelow4GiBAgain) {
  Open({.gtids = {}, .file = "binlog.000001", .offset = 2 * k4GiB});
  Transact(1);
  NextFile("binlog.000002");
  Transact(2);
  ExpectPosition("binlog.000002", end_);
  EXPECT_LT(end_, k4GiB);
}

TEST_F(ReaderPositionTest, TellsThatANewFileHasBegun) {
  EXPECT_EQ(FeedArtificial(EventType::kRotate, RotateBody("binlog.000002", 4)), Outcome::kNewFile);
  ExpectPosition("binlog.000002", 4);
}

// The file's own ROTATE, then the server's: only the second after a crash.
TEST_F(ReaderPositionTest, TwoRotatesOfOneChangeAreOneNewFile) {
  Transact(1);
  EXPECT_EQ(Feed(EventType::kRotate, RotateBody("binlog.000002", 4)), Outcome::kNewFile);
  EXPECT_EQ(FeedArtificial(EventType::kRotate, RotateBody("binlog.000002", 4)), Outcome::kNothing);
  ExpectPosition("binlog.000002", 4);
}

TEST_F(ReaderPositionTest, NumbersOfMoreThanSixDigitsAreFilesLikeOthers) {
  for (const char* file : {"binlog.999999", "binlog.1000000", "another-name.1000001"}) {
    EXPECT_EQ(FeedArtificial(EventType::kRotate, RotateBody(file, 4)), Outcome::kNewFile);
    ExpectPosition(file, 4);
  }
}

TEST_F(ReaderPositionTest, ARotateWithoutAFileIsCorrupt) {
  EXPECT_EQ(ErrorOf(FeedArtificial(EventType::kRotate, EventBytes().Little(4, 8))),
            ErrorKind::kCorrupt);
}

// A dump by GTID begins at the start of the file, and repeats the head of one in the middle.
TEST_F(ReaderPositionTest, TheHeadOfAStreamMovesNoPositionBack) {
  Transact(1);
  const Position before = reader_.position();
  Open(Position(before));
  Rotate("binlog.000001", 4);
  EXPECT_EQ(FeedArtificial(EventType::kFormatDescription, FormatDescriptionBody().Little(0, 4)),
            Outcome::kNothing);
  EXPECT_EQ(reader_.position(), before);
}

TEST_F(ReaderPositionTest, OnlyATerminatorMovesThePositionWithinAFile) {
  Transact(1);
  const std::uint64_t boundary = end_;
  ASSERT_TRUE(Feed(EventType::kHeartbeat, EventBytes().Text("binlog.000001")));
  ASSERT_TRUE(Feed(EventType::kHeartbeatV2, EventBytes().Little(0, 1)));
  end_ = boundary;
  Begin(2);
  Insert();
  ExpectPosition("binlog.000001", boundary);
  ASSERT_TRUE(Xid());
  EXPECT_EQ(transaction().begin_offset, boundary) << "a heartbeat stands in no file";
  ExpectPosition("binlog.000001", end_);
}

TEST_F(ReaderPositionTest, AHeartbeatWithinATransactionLeavesItAsItIs) {
  Begin(1);
  Insert();
  ASSERT_EQ(FeedArtificial(EventType::kHeartbeat, EventBytes().Text("x")), Outcome::kNothing);
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_TRUE(transaction().has_rows);
}

TEST_F(ReaderPositionTest, HasReachedWhatStandsInFrontOfABoundary) {
  Transact(1);
  const std::uint64_t boundary = end_;
  EXPECT_TRUE(reader_.HasReached("binlog.000001", boundary));
  EXPECT_TRUE(reader_.HasReached("binlog.000001", 4));
  EXPECT_FALSE(reader_.HasReached("binlog.000001", boundary + 1));
  Begin(2);
  Insert();
  EXPECT_TRUE(reader_.HasReached("binlog.000001", boundary));
  EXPECT_FALSE(reader_.HasReached("binlog.000001", boundary + 1)) << "nothing ends there";
  EXPECT_FALSE(reader_.HasReached("binlog.000001", end_));
  ASSERT_TRUE(Xid());
  EXPECT_TRUE(reader_.HasReached("binlog.000001", end_));
}

TEST_F(ReaderPositionTest, HasReachedNothingBeforeAStreamTellsItsFile) {
  const Position from{.gtids = Gtids("1-5"), .file = "binlog.000009", .offset = 5000};
  for (const bool by_gtid : {true, false}) {
    Open(from, by_gtid);
    EXPECT_FALSE(reader_.HasReached("binlog.000001", 4));
    EXPECT_FALSE(reader_.HasReached("binlog.000009", 4)) << "perhaps a file of another server";
  }
}

TEST_F(ReaderPositionTest, AStreamFromTheMiddleOfAFileHasReachedWhereItBegins) {
  Open({.gtids = {}, .file = "binlog.000003", .offset = k4GiB + 1000}, false);
  Rotate("binlog.000003", k4GiB + 1000);
  ASSERT_TRUE(FeedArtificial(EventType::kFormatDescription, FormatDescriptionBody().Little(0, 4)));
  EXPECT_TRUE(reader_.HasReached("binlog.000003", k4GiB + 1000));
  EXPECT_FALSE(reader_.HasReached("binlog.000003", k4GiB + 1001));
  Transact(1);
  EXPECT_TRUE(reader_.HasReached("binlog.000003", end_));
}

// By GTID it begins at the start of a file, and the server skips what the reader has.
TEST_F(ReaderPositionTest, AHeartbeatTellsWhatTheServerHasSkipped) {
  const Position before = reader_.position();
  const EventBytes file = EventBytes().Text("binlog.000001");
  EXPECT_EQ(reader_.Feed(MakeEvent(EventType::kHeartbeat, file, 5000)), Outcome::kIdle);
  EXPECT_TRUE(reader_.HasReached("binlog.000001", 5000));
  EXPECT_FALSE(reader_.HasReached("binlog.000001", 5001));
  EXPECT_EQ(reader_.reached().file, "binlog.000001");
  EXPECT_EQ(reader_.reached().offset, 5000u);
  EXPECT_EQ(reader_.position(), before);
  ASSERT_TRUE(reader_.Feed(MakeEvent(EventType::kHeartbeat, file, 4000)));
  EXPECT_TRUE(reader_.HasReached("binlog.000001", 5000));
  NextFile("binlog.000002");
  EXPECT_FALSE(reader_.HasReached("binlog.000002", 5000));
}

EventBytes HeartbeatV2Body(std::string_view file, std::uint64_t offset) {
  const EventBytes packed = EventBytes().Packed(offset);
  EventBytes body;
  body.Packed(1).Packed(file.size()).Text(file).Packed(9).Packed(2).Text("xx");
  return body.Packed(2).Packed(packed.bytes().size()).Packed(offset).Packed(0);
}

TEST_F(ReaderPositionTest, AHeartbeatOfTheSecondKindHasAllBitsOfTheOffset) {
  const std::uint64_t offset = 5 * k4GiB + 7;
  ASSERT_TRUE(reader_.Feed(
      MakeEvent(EventType::kHeartbeatV2, HeartbeatV2Body("binlog.000001", offset), 0)));
  EXPECT_TRUE(reader_.HasReached("binlog.000001", offset));
  EXPECT_FALSE(reader_.HasReached("binlog.000001", offset + 1));
}

TEST_F(ReaderPositionTest, TheLowerBitsOfAHeartbeatNeverTellTooMuch) {
  Rotate("binlog.000001", 3 * k4GiB - 100);
  const EventBytes file = EventBytes().Text("binlog.000001");
  ASSERT_TRUE(reader_.Feed(MakeEvent(EventType::kHeartbeat, file, 5000)));
  EXPECT_FALSE(reader_.HasReached("binlog.000001", 3 * k4GiB - 99)) << "perhaps 3 * 4 GiB + 5000";
  ASSERT_TRUE(reader_.Feed(MakeEvent(EventType::kHeartbeat, file, 0xFFFFFFFF)));
  EXPECT_TRUE(reader_.HasReached("binlog.000001", 3 * k4GiB - 1));
}

TEST_F(ReaderPositionTest, AHeartbeatTellsNothingOfAnotherFileNorWithinATransaction) {
  const std::uint64_t boundary = end_;
  for (const auto& body : {EventBytes().Text("binlog.000002"), EventBytes()}) {
    EXPECT_EQ(reader_.Feed(MakeEvent(EventType::kHeartbeat, body, 5000)), Outcome::kNothing);
    EXPECT_EQ(reader_.Feed(MakeEvent(EventType::kHeartbeatV2, body, 5000)), Outcome::kNothing);
  }
  EXPECT_FALSE(reader_.HasReached("binlog.000001", boundary + 1));
  Begin(1);
  EXPECT_EQ(
      reader_.Feed(MakeEvent(EventType::kHeartbeat, EventBytes().Text("binlog.000001"), 5000)),
      Outcome::kNothing);
  EXPECT_FALSE(reader_.HasReached("binlog.000001", boundary + 1));
  ASSERT_TRUE(Xid());
  EXPECT_FALSE(reader_.HasReached("binlog.000001", end_ + 1));
}

TEST_F(ReaderPositionTest, ATransactionThatACrashLeftOpenIsNoPlaceInTheNextFile) {
  Begin(1);
  ASSERT_TRUE(Query(std::string(5000, 'x')));
  Insert();
  Rotate("binlog.000002", 4);
  EXPECT_TRUE(reader_.HasReached("binlog.000001", end_));
  EXPECT_FALSE(reader_.HasReached("binlog.000002", 5));
}

TEST_F(ReaderPositionTest, TellsTheLargestEventSinceItWasOpened) {
  Begin(1);
  ASSERT_TRUE(Query(std::string(1000, 'x')));
  ASSERT_TRUE(Xid());
  EXPECT_GT(reader_.largest_event(), 1000u);
  EXPECT_LT(reader_.largest_event(), 1100u);
  Open(Position(reader_.position()));
  EXPECT_EQ(reader_.largest_event(), 0u);
}

TEST_F(ReaderPositionTest, AFileMayHaveChecksumsWhereTheLastHadNone) {
  Transact(1);
  Rotate("binlog.000002", 4);  // With the checksum of the file before, that is, none.
  FormatDescription(true);
  Transact(2);
  Rotate("binlog.000003", 4);
  FormatDescription(false);
  Transact(3);
  EXPECT_EQ(gtids(), "1-3");
}

TEST_F(ReaderPositionTest, AWrongChecksumIsCorruptAndNamesThePlace) {
  FormatDescription(true);
  auto event = WithChecksum(MakeEvent(EventType::kGtid, GtidBody(1), 1000));
  event.back() = static_cast<std::uint8_t>(event.back() ^ 1);
  const auto refused = reader_.Feed(event);
  EXPECT_EQ(ErrorOf(refused), ErrorKind::kCorrupt);
  EXPECT_NE(refused.error().message.find("binlog.000001:9"), std::string::npos);
}

TEST_F(ReaderPositionTest, AFormatDescriptionWithAWrongChecksumIsCorrupt) {
  EXPECT_EQ(ErrorOf(Feed(EventType::kFormatDescription, FormatDescriptionBody(true).Little(0, 4))),
            ErrorKind::kCorrupt);
}

TEST_F(ReaderPositionTest, AnEventWithoutRoomForItsChecksumIsCorrupt) {
  FormatDescription(true);
  has_checksums_ = false;
  EXPECT_EQ(ErrorOf(Feed(EventType::kXid, EventBytes())), ErrorKind::kCorrupt);
}

TEST_F(ReaderPositionTest, AStreamByFileCollectsNoGtids) {
  Open({}, false);
  Gtid(5);
  ASSERT_EQ(Query("CREATE TABLE t (id INT)"), Outcome::kTransaction);
  EXPECT_TRUE(reader_.position().gtids.empty());
}

TEST_F(ReaderPositionTest, TheHeadOfAFileTellsAStreamByFileItsGtids) {
  Open({.gtids = {}, .file = "binlog.000001", .offset = 4}, false);
  Transact(6);
  EXPECT_FALSE(reader_.collects_gtids());
  NextFile("binlog.000002");
  EXPECT_EQ(PreviousGtids("1-7"), Outcome::kNewFile);
  EXPECT_TRUE(reader_.collects_gtids());
  EXPECT_EQ(gtids(), "1-7");
  Transact(8);
  EXPECT_EQ(gtids(), "1-8");
}

TEST_F(ReaderPositionTest, AKnownSetIsNotReplacedByTheHeadOfAFile) {
  for (const bool by_gtid : {true, false}) {
    Open({.gtids = Gtids("1-9"), .file = "binlog.000001", .offset = 4}, by_gtid);
    EXPECT_EQ(PreviousGtids("1-3"), Outcome::kNothing);
    EXPECT_EQ(gtids(), "1-9");
  }
}

TEST_F(ReaderPositionTest, AHeadThatIsNoSetIsCorrupt) {
  Open({}, false);
  EXPECT_EQ(ErrorOf(Feed(EventType::kPreviousGtids, EventBytes().Little(1, 8))),
            ErrorKind::kCorrupt);
}

TEST_F(ReaderPositionTest, AStreamByFilePassesOverWhatIsInTheSet) {
  Open({.gtids = Gtids("1-5"), .file = {}, .offset = 4}, false);
  Begin(5);
  TableMap(kOutboxId, "shop", "outbox");
  ASSERT_TRUE(Rows(EventType::kWriteRows, kOutboxId, 0));
  ASSERT_TRUE(Rows(EventType::kUpdateRows, kOutboxId));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_FALSE(transaction().has_rows);
  EXPECT_EQ(transaction().updates, 0u);
  EXPECT_EQ(reader_.rows().size(), 0u);
  EXPECT_EQ(reader_.position().offset, end_);
  Transact(6);
  EXPECT_EQ(KeptRowsEvents(), 1);
  EXPECT_EQ(gtids(), "1-6");
}

TEST_F(ReaderPositionTest, WhatIsPassedOverTellsOfNoStatementsAgain) {
  Open({.gtids = Gtids("1-5"), .file = {}, .offset = 4}, false);
  Begin(4);
  ASSERT_TRUE(Query("INSERT", UpdatedSchemas({"shop"})));
  ASSERT_EQ(Xid(), Outcome::kTransaction);
  EXPECT_EQ(transaction().statements, 0u);
  Gtid(5);
  ASSERT_EQ(Query("TRUNCATE outbox", UpdatedSchemas({"shop"})), Outcome::kTransaction);
  EXPECT_EQ(transaction().ddl, "");
  EXPECT_EQ(transaction().ddl_effect, DdlEffect::kNone);
}

}  // namespace
}  // namespace outboxd::binlog
