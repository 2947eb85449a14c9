#include "binlog/stream_place.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/binlog/event_bytes.h"

namespace outboxd::binlog {
namespace {

constexpr std::uint64_t k4GiB = std::uint64_t{1} << 32;

GtidSet Gtids(const std::string& numbers) {
  return GtidSet::Parse("11111111-1111-1111-1111-111111111111:" + numbers).value();
}

Gtid NumberedGtid(std::uint64_t number) {
  return {{ParseUuid("11111111-1111-1111-1111-111111111111").value(), ""}, number};
}

// A stream by GTID at the first event of binlog.000001, or another one.
class StreamPlaceTest : public ::testing::Test {
 protected:
  StreamPlaceTest() {
    place_.Begin(true, {});
    EXPECT_TRUE(Rotate("binlog.000001"));
  }

  static EventHeader Header(EventType type, std::uint64_t end, std::uint32_t length) {
    return {.timestamp = 0,
            .type = type,
            .server_id = 1,
            .length = length,
            .log_pos = static_cast<std::uint32_t>(end),
            .flags = 0};
  }
  // An event of this length.
  void Advance(std::uint32_t length, EventType type = EventType::kQuery) {
    place_.Advance(Header(type, place_.event_end() + length, length));
  }
  bool Rotate(const std::string& file, std::uint64_t offset = kFirstOffset) {
    return place_.OnRotate({.offset = offset, .file = file});
  }
  bool Heartbeat(const std::string& file, std::uint32_t offset) {
    const EventBytes body = EventBytes().Text(file);
    return place_.OnHeartbeat(Header(EventType::kHeartbeat, offset, 50), body.bytes());
  }
  Result<bool> PreviousGtids(const std::string& numbers) {
    return place_.OnPreviousGtids(EventBytes().Text(Gtids(numbers).Encode()).bytes());
  }
  bool HasReached(const std::string& file, std::uint64_t offset) {
    return place_.HasReached(file, offset, nullptr);
  }

  StreamPlace place_;
};

TEST_F(StreamPlaceTest, EventsFollowOneAnother) {
  Advance(100);
  Advance(50);
  EXPECT_EQ(place_.event_begin(), 104u);
  EXPECT_EQ(place_.event_end(), 154u);
  EXPECT_EQ(place_.Text(), "binlog.000001:104");
}

TEST_F(StreamPlaceTest, OffsetsGoOnBehindEachMultipleOf4GiB) {
  place_.Begin(false, {.gtids = {}, .file = "binlog.000001", .offset = 3 * k4GiB - 10});
  Advance(30);
  EXPECT_EQ(place_.event_begin(), 3 * k4GiB - 10);
  EXPECT_EQ(place_.event_end(), 3 * k4GiB + 20);
}

TEST_F(StreamPlaceTest, WhatStandsInNoFileTakesNoRoom) {
  Advance(100);
  EventHeader artificial = Header(EventType::kRotate, 5000, 40);
  artificial.flags = EventHeader::kArtificial;
  for (const EventHeader& header :
       {artificial, Header(EventType::kQuery, 0, 40), Header(EventType::kHeartbeat, 5000, 40),
        Header(EventType::kHeartbeatV2, 5000, 40)}) {
    place_.Advance(header);
    EXPECT_EQ(place_.event_begin(), 104u);
    EXPECT_EQ(place_.event_end(), 104u);
  }
}

TEST_F(StreamPlaceTest, TheBoundaryStaysUntilATransactionEnds) {
  Advance(100);
  EXPECT_EQ(place_.boundary().offset, kFirstOffset);
  place_.OnEnd(NumberedGtid(7));
  EXPECT_EQ(place_.boundary(),
            (Position{.gtids = Gtids("7"), .file = "binlog.000001", .offset = 104}));
}

TEST_F(StreamPlaceTest, ANewFileMovesTheBoundaryButNotBack) {
  Advance(100);
  place_.OnEnd(std::nullopt);
  EXPECT_FALSE(Rotate("binlog.000001")) << "the head of a stream that is opened anew";
  EXPECT_EQ(place_.boundary().offset, 104u);
  EXPECT_TRUE(Rotate("binlog.000002"));
  EXPECT_EQ(place_.boundary().file, "binlog.000002");
  EXPECT_EQ(place_.boundary().offset, kFirstOffset);
}

TEST_F(StreamPlaceTest, GtidsAreCollectedByGtidOrBehindAKnownSet) {
  for (const bool by_gtid : {true, false}) {
    place_.Begin(by_gtid, {});
    EXPECT_EQ(place_.collects_gtids(), by_gtid);
    place_.OnEnd(NumberedGtid(7));
    EXPECT_EQ(place_.boundary().gtids.empty(), !by_gtid);
    place_.Begin(by_gtid, {.gtids = Gtids("1-5"), .file = "binlog.000001", .offset = 4});
    EXPECT_TRUE(place_.collects_gtids());
    place_.OnEnd(NumberedGtid(6));
    EXPECT_EQ(place_.boundary().gtids, Gtids("1-6"));
  }
}

TEST_F(StreamPlaceTest, TheHeadOfAFileTellsTheSetOnlyWhereItIsNotKnown) {
  EXPECT_FALSE(PreviousGtids("1-3").value());
  EXPECT_TRUE(place_.boundary().gtids.empty());
  place_.Begin(false, {.gtids = {}, .file = "binlog.000001", .offset = 4});
  EXPECT_TRUE(PreviousGtids("1-3").value());
  EXPECT_EQ(place_.boundary().gtids, Gtids("1-3"));
  EXPECT_FALSE(PreviousGtids("1-9").value());
  EXPECT_EQ(place_.boundary().gtids, Gtids("1-3"));
}

TEST_F(StreamPlaceTest, AHeadThatIsNoSetIsCorrupt) {
  place_.Begin(false, {});
  const auto told = place_.OnPreviousGtids(EventBytes().Little(1, 8).bytes());
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().kind, ErrorKind::kCorrupt);
}

TEST_F(StreamPlaceTest, OnlyAStreamByFileComesToWhatItHasRead) {
  for (const bool by_gtid : {true, false}) {
    place_.Begin(by_gtid, {.gtids = Gtids("1-5"), .file = {}, .offset = 4});
    EXPECT_EQ(place_.HasRead(NumberedGtid(5)), !by_gtid);
    EXPECT_FALSE(place_.HasRead(NumberedGtid(6)));
    EXPECT_FALSE(place_.HasRead(std::nullopt));
  }
}

TEST_F(StreamPlaceTest, AnEmptySetIsNotResumedAsAPlaceInAFile) {
  EXPECT_EQ(place_.ResumePosition().file, "");
  place_.OnEnd(NumberedGtid(1));
  EXPECT_EQ(place_.ResumePosition(), place_.boundary());
  place_.Begin(false, {.gtids = {}, .file = "binlog.000001", .offset = 4});
  EXPECT_EQ(place_.ResumePosition(), place_.boundary());
}

TEST_F(StreamPlaceTest, ADumpByFileCannotBeginBehind4GiB) {
  for (const bool by_gtid : {true, false}) {
    place_.Begin(by_gtid, {.gtids = {}, .file = "binlog.000001", .offset = k4GiB - 1});
    EXPECT_TRUE(place_.CanResume());
    place_.Begin(by_gtid, {.gtids = {}, .file = "binlog.000001", .offset = k4GiB});
    EXPECT_EQ(place_.CanResume(), by_gtid);
  }
}

TEST_F(StreamPlaceTest, StandsAtItsBeginWithinAFileUntilTheFirstBoundary) {
  EXPECT_EQ(place_.StandsAtBegin(), nullptr) << "by GTID";
  place_.Begin(false, {.gtids = {}, .file = "binlog.000001", .offset = kFirstOffset});
  EXPECT_EQ(place_.StandsAtBegin(), nullptr) << "not within";
  place_.Begin(false, {.gtids = {}, .file = "binlog.000001", .offset = 700});
  Advance(100);
  ASSERT_NE(place_.StandsAtBegin(), nullptr);
  EXPECT_EQ(place_.StandsAtBegin()->offset, 700u);
  place_.OnEnd(std::nullopt);
  EXPECT_EQ(place_.StandsAtBegin(), nullptr);
}

TEST_F(StreamPlaceTest, HasReachedAllOfEarlierFilesAndNothingOfLaterOnes) {
  EXPECT_TRUE(Rotate("binlog.000007"));
  EXPECT_TRUE(HasReached("binlog.000006", 10 * k4GiB));
  EXPECT_FALSE(HasReached("binlog.000008", 4));
  EXPECT_FALSE(HasReached("binlog.000010", 4));
  EXPECT_FALSE(HasReached("other.000006", 4)) << "of another log_bin";
  EXPECT_FALSE(HasReached("binlog.index", 4));
  EXPECT_FALSE(HasReached("", 4));
}

TEST_F(StreamPlaceTest, FilesAreInTheOrderOfTheirNumbersNotTheirTexts) {
  EXPECT_TRUE(Rotate("binlog.999999"));
  EXPECT_FALSE(HasReached("binlog.1000000", 4));
  EXPECT_TRUE(Rotate("binlog.1000000"));
  EXPECT_TRUE(HasReached("binlog.999999", 1000));
  EXPECT_TRUE(HasReached("binlog.000002", 1000));
  EXPECT_TRUE(Rotate("binlog.10000000000000000000001"));
  EXPECT_TRUE(HasReached("binlog.10000000000000000000000", 4));
}

TEST_F(StreamPlaceTest, HasReachedNothingBeforeARotateTellsTheFile) {
  place_.Begin(false, {.gtids = {}, .file = "binlog.000009", .offset = 5000});
  EXPECT_FALSE(HasReached("binlog.000001", 4));
  EXPECT_FALSE(HasReached("binlog.000009", 4)) << "perhaps a file of another server";
  EXPECT_FALSE(Heartbeat("binlog.000009", 6000));
}

TEST_F(StreamPlaceTest, HasNotReachedTheEndOfWhatIsOpen) {
  Advance(100);
  Transaction open;
  open.file = "binlog.000001";
  open.begin_offset = 54;
  EXPECT_TRUE(place_.HasReached("binlog.000001", 54, &open));
  EXPECT_FALSE(place_.HasReached("binlog.000001", 55, &open));
  EXPECT_TRUE(HasReached("binlog.000001", 104));
  EXPECT_TRUE(Rotate("binlog.000002"));
  EXPECT_TRUE(place_.HasReached("binlog.000002", 4, &open)) << "a crash left it open";
}

TEST_F(StreamPlaceTest, AHeartbeatTellsWhatTheServerHasSkippedInThisFileAndNeverLess) {
  Advance(100);
  EXPECT_TRUE(Heartbeat("binlog.000001", 5000));
  EXPECT_EQ(place_.reached().offset, 5000u);
  EXPECT_TRUE(HasReached("binlog.000001", 5000));
  EXPECT_TRUE(Heartbeat("binlog.000001", 50));
  EXPECT_FALSE(Heartbeat("binlog.000002", 6000));
  EXPECT_EQ(place_.reached().offset, 5000u);
  EXPECT_EQ(place_.boundary().offset, kFirstOffset);
  EXPECT_TRUE(Rotate("binlog.000002"));
  EXPECT_EQ(place_.reached().offset, kFirstOffset);
}

}  // namespace
}  // namespace outboxd::binlog
