// Compressed transactions in TransactionReader.

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/binlog/event_stream.h"
#include "tests/binlog/heap.h"
#include "tests/binlog/payload_bytes.h"

namespace outboxd::binlog {
namespace {

using Octets = std::vector<std::uint8_t>;

// Inner events have no checksum and stand at offset 0.
Octets Inner(EventType type, const EventBytes& body) { return MakeEvent(type, body, 0); }

const Octets kBegin = Inner(EventType::kQuery, QueryBody("BEGIN"));
const Octets kMap = Inner(EventType::kTableMap, TableMapBody(kOutboxId, "shop", "outbox"));
const Octets kRows = Inner(EventType::kWriteRows, RowsBody(kOutboxId));
const Octets kCommit = Inner(EventType::kXid, EventBytes().Little(1, 8));

EventBytes Compressed(const std::vector<Octets>& events) {
  EventBytes joined;
  for (const Octets& event : events) joined.Text(AsText(event));
  return CompressedBody(joined.bytes());
}

class PayloadTransactionTest : public EventStreamTest {
 protected:
  Result<Outcome> Payload(const std::vector<Octets>& events) {
    return Feed(EventType::kTransactionPayload, Compressed(events));
  }
};

TEST_F(PayloadTransactionTest, HasItsRowsAndThePlaceOfItsPayload) {
  for (const bool has_checksums : {false, true}) {
    FormatDescription(has_checksums);
    const std::uint64_t begin = end_;
    Gtid(1);
    ASSERT_EQ(Payload({kBegin, kMap, kRows, kMap, kRows, kCommit}), Outcome::kTransaction);
    EXPECT_TRUE(transaction().has_rows);
    EXPECT_EQ(KeptRowsEvents(), 2);
    EXPECT_EQ(transaction().begin_offset, begin);
    EXPECT_EQ(transaction().end_offset, end_);
    EXPECT_EQ(reader_.position().offset, end_);
    EXPECT_EQ(gtids(), "1");
  }
}

TEST_F(PayloadTransactionTest, AnUncompressedPayloadIsOneToo) {
  EventBytes events;
  for (const Octets& event : {kBegin, kMap, kRows, kCommit}) events.Text(AsText(event));
  Gtid(1);
  ASSERT_EQ(Feed(EventType::kTransactionPayload, PayloadBody(kPlainPayload, events.bytes())),
            Outcome::kTransaction);
  EXPECT_EQ(KeptRowsEvents(), 1);
}

TEST_F(PayloadTransactionTest, OrdinaryOnesMayStandBesideIt) {
  Transact(1);
  Gtid(2);
  ASSERT_TRUE(Payload({kBegin, kMap, kRows, kCommit}));
  Transact(3);
  EXPECT_EQ(KeptRowsEvents(), 1);
  EXPECT_EQ(gtids(), "1-3");
}

TEST_F(PayloadTransactionTest, ItsStatementsAreSeen) {
  Gtid(1);
  const auto status = UpdatedSchemas({"shop"});
  ASSERT_TRUE(Payload({kBegin, Inner(EventType::kQuery, QueryBody("INSERT", status)), kCommit}));
  EXPECT_EQ(transaction().statements, 1u);
}

TEST_F(PayloadTransactionTest, IsPassedOverInAStreamByFileThatHasReadIt) {
  Position from;
  from.gtids = GtidSet::Parse("11111111-1111-1111-1111-111111111111:1").value();
  Open(from, false);
  Gtid(1);
  ASSERT_EQ(Payload({kBegin, kMap, kRows, kCommit}), Outcome::kTransaction);
  EXPECT_FALSE(transaction().has_rows);
  EXPECT_EQ(reader_.rows().size(), 0u);
}

TEST_F(PayloadTransactionTest, BelongsBehindAGtidAndNowhereElse) {
  EXPECT_EQ(ErrorOf(Payload({kBegin, kCommit})), ErrorKind::kCorrupt);
  Open({});
  Begin(1);
  EXPECT_EQ(ErrorOf(Payload({kBegin, kCommit})), ErrorKind::kCorrupt);
}

TEST_F(PayloadTransactionTest, OfAnUnknownCompressionStops) {
  Gtid(1);
  EXPECT_EQ(ErrorOf(Feed(EventType::kTransactionPayload, PayloadBody(7, kBegin))),
            ErrorKind::kUndecodable);
}

// What was refused is read again from the position: nothing of it may count as read.
TEST_F(PayloadTransactionTest, IsReadAgainIfItWasDamagedBehindItsTerminator) {
  EventBytes events;
  for (const Octets& event : {kBegin, kMap, kRows, kCommit}) events.Text(AsText(event));
  Octets packed = Zstd(events.bytes());
  packed.push_back(1);
  Gtid(1);
  ASSERT_EQ(ErrorOf(Feed(EventType::kTransactionPayload, PayloadBody(kZstdPayload, packed))),
            ErrorKind::kCorrupt);
  EXPECT_EQ(gtids(), "");
  Open(Position(reader_.position()));
  Gtid(1);
  ASSERT_EQ(Payload({kBegin, kMap, kRows, kCommit}), Outcome::kTransaction);
  EXPECT_EQ(KeptRowsEvents(), 1);
}

TEST_F(PayloadTransactionTest, HoldsNoPreparedOneThatIsFollowedByMore) {
  const Octets start = Inner(EventType::kQuery, QueryBody("XA START X'61',X'',1"));
  const Octets prepare = Inner(EventType::kXaPrepare, XaPrepareBody(false));
  Gtid(1);
  EXPECT_EQ(ErrorOf(Payload({start, kMap, kRows, prepare, kRows})), ErrorKind::kCorrupt);
  EXPECT_EQ(reader_.prepared().held_count(), 0u);
}

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

// A rows event of this size, in which the compression finds next to nothing.
Octets LargeRows(std::uint64_t table_id, std::size_t body_bytes) {
  EventBytes body = RowsBody(table_id);
  return Inner(EventType::kWriteRows, body.Text(std::string(body_bytes, 'r')));
}

class LargeEventInPayloadTest : public PayloadTransactionTest {
 protected:
  static constexpr std::size_t kLarge = 40 * kMebibyte;

  // How far the process grows while the reader takes the transaction.
  std::size_t GrowthWhileReading(const std::vector<Octets>& events) {
    const EventBytes body = Compressed(events);
    Gtid(1);
    const PeakMemory memory;
    EXPECT_EQ(Feed(EventType::kTransactionPayload, body), Outcome::kTransaction);
    return memory.growth();
  }
};

TEST_F(LargeEventInPayloadTest, OfAnotherTableIsNeverInMemoryAsAWhole) {
  const Octets foreign = Inner(EventType::kTableMap, TableMapBody(kForeignId, "shop", "filler"));
  const std::size_t growth =
      GrowthWhileReading({kBegin, foreign, LargeRows(kForeignId, kLarge), kMap, kRows, kCommit});
  EXPECT_LT(growth, 8 * kMebibyte);
  EXPECT_EQ(KeptRowsEvents(), 1);
}

TEST_F(LargeEventInPayloadTest, ThatOnlyRepeatsAStatementIsNeverInMemoryAsAWhole) {
  const Octets text = Inner(EventType::kRowsQuery, EventBytes().Text(std::string(kLarge, 'q')));
  EXPECT_LT(GrowthWhileReading({kBegin, text, kMap, kRows, kCommit}), 8 * kMebibyte);
  EXPECT_EQ(KeptRowsEvents(), 1);
}

TEST_F(LargeEventInPayloadTest, ThatIsOnlyCountedIsNeverInMemoryAsAWhole) {
  Octets update = LargeRows(kOutboxId, kLarge);
  update[4] = static_cast<std::uint8_t>(EventType::kUpdateRows);
  EXPECT_LT(GrowthWhileReading({kBegin, kMap, update, kCommit}), 8 * kMebibyte);
  EXPECT_EQ(transaction().updates, 1u);
}

TEST_F(LargeEventInPayloadTest, OfAnEventTableIsInMemoryOnce) {
  const std::size_t growth =
      GrowthWhileReading({kBegin, kMap, LargeRows(kOutboxId, kLarge), kCommit});
  EXPECT_LT(growth, kLarge + 8 * kMebibyte);
  EXPECT_EQ(KeptRowsEvents(), 1);
}

struct WrongPayload {
  const char* claim;
  std::vector<Octets> events;

  friend std::ostream& operator<<(std::ostream& out, const WrongPayload& payload) {
    return out << payload.claim;
  }
};

class WrongPayloadTest : public PayloadTransactionTest,
                         public testing::WithParamInterface<WrongPayload> {};

TEST_P(WrongPayloadTest, IsCorruptAndNothingOfItIsPublished) {
  Gtid(1);
  const auto refused = Payload(GetParam().events);
  ASSERT_EQ(ErrorOf(refused), ErrorKind::kCorrupt);
  EXPECT_NE(refused.error().message.find("binlog.000001:"), std::string::npos);
  EXPECT_EQ(gtids(), "");
}

INSTANTIATE_TEST_SUITE_P(
    Payloads, WrongPayloadTest,
    testing::Values(
        WrongPayload{"Empty", {}},  //
        WrongPayload{"WithoutTerminator", {kBegin, kMap, kRows}},
        WrongPayload{"RowsWithoutATableMap", {kBegin, kRows, kCommit}},
        WrongPayload{"RowsBehindTheStatementsEnd", {kBegin, kMap, kRows, kRows, kCommit}},
        WrongPayload{"WithoutBegin", {kMap, kRows, kCommit}},
        WrongPayload{"MoreBehindItsTerminator", {kBegin, kCommit, kRows}},
        WrongPayload{"ASecondTransaction", {kBegin, kCommit, kBegin, kCommit}},
        WrongPayload{"AGtid", {Inner(EventType::kGtid, GtidBody(2)), kBegin, kCommit}},
        WrongPayload{"ARotate", {kBegin, Inner(EventType::kRotate, RotateBody("x", 4)), kCommit}},
        WrongPayload{
            "AFormatDescription",
            {kBegin, Inner(EventType::kFormatDescription, FormatDescriptionBody()), kCommit}},
        WrongPayload{"ANestedPayload",
                     {Inner(EventType::kTransactionPayload, Compressed({kBegin, kCommit}))}},
        WrongPayload{"ANestedPayloadWithin",
                     {kBegin, Inner(EventType::kTransactionPayload, Compressed({kRows})), kCommit}},
        WrongPayload{"NoHeader", {Octets(5)}}),
    [](const auto& payload) { return payload.param.claim; });

}  // namespace
}  // namespace outboxd::binlog
