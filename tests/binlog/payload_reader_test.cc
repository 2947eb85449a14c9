#include "binlog/payload_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/binlog/heap.h"
#include "tests/binlog/payload_bytes.h"

namespace outboxd::binlog {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

Octets EventOf(std::size_t body_bytes) {
  return MakeEvent(EventType::kWriteRows, EventBytes().Text(std::string(body_bytes, 'r')), 0);
}

Octets Joined(const std::vector<Octets>& parts) {
  Octets joined;
  for (const Octets& part : parts) joined.insert(joined.end(), part.begin(), part.end());
  return joined;
}

// An event's header that promises `length` bytes, and nothing behind it.
Octets HeaderThatPromises(std::uint32_t length) {
  return EventBytes().Little(0, 9).Little(length, 4).Little(0, 6).bytes();
}

class PayloadReaderTest : public testing::Test {
 protected:
  struct Unpacked {
    std::vector<Octets> events;
    std::optional<Error> error;
  };
  Unpacked Read(Octets body) {
    body_ = std::move(body);
    body_.shrink_to_fit();
    Unpacked unpacked;
    if (const auto begun = reader_.Begin(body_); !begun) {
      unpacked.error = begun.error();
      return unpacked;
    }
    auto event = reader_.Next();
    for (; event && *event; event = reader_.Next()) {
      const EventType type = (*event)->header.type;
      const Octets head((*event)->head.begin(), (*event)->head.end());
      const auto inner = reader_.Body();
      if (!inner) {
        unpacked.error = inner.error();
        return unpacked;
      }
      EXPECT_EQ(head, Octets(inner->begin(), inner->begin() + std::ssize(head)));
      unpacked.events.push_back(MakeEvent(type, EventBytes().Text(AsText(*inner)), 0));
    }
    if (!event) unpacked.error = event.error();
    return unpacked;
  }
  Unpacked Read(const EventBytes& body) { return Read(body.bytes()); }
  std::optional<ErrorKind> ErrorOf(const EventBytes& body) {
    const Unpacked unpacked = Read(body);
    return unpacked.error ? std::optional(unpacked.error->kind) : std::nullopt;
  }
  // How far the process grows while `body` is read, event by event, each body asked for or not.
  std::size_t GrowthWhileReading(const EventBytes& body, bool asks_for_bodies = true) {
    const PeakMemory memory;
    EXPECT_TRUE(reader_.Begin(body.bytes()));
    for (auto event = reader_.Next(); event && *event; event = reader_.Next()) {
      if (asks_for_bodies && !reader_.Body()) break;
    }
    return memory.growth();
  }

  PayloadReader reader_;
  Octets body_;
};

class PayloadCompressionTest : public PayloadReaderTest,
                               public testing::WithParamInterface<std::uint64_t> {
 protected:
  static EventBytes BodyOf(const Octets& events) {
    const bool is_plain = GetParam() == kPlainPayload;
    return PayloadBody(GetParam(), is_plain ? events : Zstd(events), events.size());
  }
};

INSTANTIATE_TEST_SUITE_P(Compressions, PayloadCompressionTest,
                         testing::Values(kZstdPayload, kPlainPayload));

TEST_P(PayloadCompressionTest, GivesTheInnerEventsInOrder) {
  const std::vector<Octets> events = {EventOf(3), EventOf(0), EventOf(3 * kMebibyte), EventOf(7)};
  const Unpacked unpacked = Read(BodyOf(Joined(events)));
  EXPECT_FALSE(unpacked.error);
  EXPECT_EQ(unpacked.events, events);
}

TEST_P(PayloadCompressionTest, EventsMayLieAcrossEveryBoundOfTheBuffer) {
  std::vector<Octets> events;
  for (std::size_t i = 0; i < 3000; ++i) events.push_back(EventOf(i * 7919 % 1000));
  const Unpacked unpacked = Read(BodyOf(Joined(events)));
  EXPECT_FALSE(unpacked.error);
  EXPECT_EQ(unpacked.events, events);
}

TEST_P(PayloadCompressionTest, APayloadOfNothingHasNoEvents) {
  const Unpacked unpacked = Read(BodyOf({}));
  EXPECT_FALSE(unpacked.error);
  EXPECT_TRUE(unpacked.events.empty());
}

TEST_P(PayloadCompressionTest, AnEventThatThePayloadCutsOffIsCorrupt) {
  const Octets events = Joined({EventOf(5), EventOf(5)});
  for (std::size_t size = events.size() / 2 + 1; size < events.size(); ++size) {
    const Octets cut(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(size));
    const Unpacked unpacked = Read(BodyOf(cut));
    EXPECT_EQ(unpacked.events.size(), 1u);
    ASSERT_TRUE(unpacked.error) << size;
    EXPECT_EQ(unpacked.error->kind, ErrorKind::kCorrupt);
  }
}

TEST_P(PayloadCompressionTest, AnEventShorterThanItsHeaderIsCorrupt) {
  for (const std::uint32_t length : {0u, 18u}) {
    EXPECT_EQ(ErrorOf(BodyOf(HeaderThatPromises(length))), ErrorKind::kCorrupt) << length;
  }
}

TEST_P(PayloadCompressionTest, MemoryGrowsWithWhatFollowsALengthAndNotWithTheLength) {
  for (const std::uint32_t length : {0x4000'0000u, 0xFFFF'FFFFu}) {
    Octets bytes = HeaderThatPromises(length);
    bytes.resize(300'000);
    const EventBytes body = BodyOf(bytes);
    EXPECT_LT(GrowthWhileReading(body), 2 * kMebibyte) << length;
    EXPECT_EQ(ErrorOf(body), ErrorKind::kCorrupt) << length;
  }
}

TEST_P(PayloadCompressionTest, MoreThanWasDeclaredIsCorrupt) {
  const Octets events = EventOf(1000);
  const Octets payload = GetParam() == kPlainPayload ? events : Zstd(events);
  const Unpacked unpacked = Read(PayloadBody(GetParam(), payload, events.size() - 1));
  ASSERT_TRUE(unpacked.error);
  EXPECT_EQ(unpacked.error->kind, ErrorKind::kCorrupt);
  EXPECT_NE(unpacked.error->message.find("1018 bytes that it declares"), std::string::npos);
  EXPECT_FALSE(ErrorOf(PayloadBody(GetParam(), payload, ~std::uint64_t{0})));
  EXPECT_FALSE(ErrorOf(PayloadBody(GetParam(), payload)));
}

TEST_F(PayloadReaderTest, ABombIsRefusedBeforeItUnfolds) {
  Octets bomb = HeaderThatPromises(64 * kMebibyte);
  bomb.resize(64 * kMebibyte);
  const EventBytes body = PayloadBody(kZstdPayload, Zstd(bomb), 1000);
  bomb = {};
  EXPECT_LT(GrowthWhileReading(body), 4 * kMebibyte);
  EXPECT_EQ(ErrorOf(body), ErrorKind::kCorrupt);
}

TEST_F(PayloadReaderTest, MemoryIsThatOfTheLargestEventAndNotOfThePayload) {
  Octets events;
  const Octets one = EventOf(kMebibyte);
  for (int i = 0; i < 64; ++i) events.insert(events.end(), one.begin(), one.end());
  const EventBytes body = CompressedBody(events);
  events = {};
  EXPECT_LT(GrowthWhileReading(body), 16 * kMebibyte);
}

TEST_F(PayloadReaderTest, ALargeEventIsInMemoryOnce) {
  const EventBytes body = CompressedBody(EventOf(40 * kMebibyte));
  EXPECT_LT(GrowthWhileReading(body), 48 * kMebibyte);
}

TEST_P(PayloadCompressionTest, AnEventThatNobodyAsksForIsPassedOverInPieces) {
  const EventBytes body = BodyOf(Joined({EventOf(40 * kMebibyte), EventOf(1)}));
  EXPECT_LT(GrowthWhileReading(body, false), 8 * kMebibyte);
}

TEST_F(PayloadReaderTest, APayloadThatIsNotCompressedIsReadWhereItStands) {
  const Octets events = EventOf(40 * kMebibyte);
  const EventBytes body = PayloadBody(kPlainPayload, events, events.size());
  EXPECT_LT(GrowthWhileReading(body), 8 * kMebibyte);
}

TEST_P(PayloadCompressionTest, WhatFollowsAnEventThatWasPassedOverIsWhole) {
  const std::vector<Octets> events = {EventOf(3), EventOf(3 * kMebibyte), EventOf(0), EventOf(700)};
  const EventBytes body = BodyOf(Joined(events));
  for (std::size_t asked = 0; asked < events.size(); ++asked) {
    ASSERT_TRUE(reader_.Begin(body.bytes()));
    for (std::size_t i = 0; i < asked; ++i) ASSERT_TRUE(reader_.Next().value());
    const auto event = reader_.Next();
    ASSERT_TRUE(event && *event);
    EXPECT_EQ((*event)->header.length, events[asked].size());
    EXPECT_EQ(AsText(reader_.Body().value()), AsText(Bytes(events[asked]).subspan(19)));
  }
}

TEST_P(PayloadCompressionTest, AnEventThatIsPassedOverMayNotBeCutOff) {
  const Octets events = EventOf(kMebibyte);
  const Octets cut(events.begin(), events.end() - 1);
  const EventBytes body = BodyOf(cut);
  ASSERT_TRUE(reader_.Begin(body.bytes()));
  ASSERT_TRUE(reader_.Next());
  const auto next = reader_.Next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().kind, ErrorKind::kCorrupt);
}

TEST_F(PayloadReaderTest, GivesTheMemoryOfALargeEventBack) {
  const EventBytes body = CompressedBody(EventOf(64 * kMebibyte));
  const std::size_t before = AllocatedBytes();
  EXPECT_FALSE(ErrorOf(body));
  body_ = {};
  EXPECT_LT(AllocatedBytes(), before + 2 * kMebibyte);
}

TEST_F(PayloadReaderTest, AWindowThatWouldTakeGigabytesIsRefused) {
  // A frame with a window of 2 GiB that holds one empty block: RFC 8878, 3.1.1.
  const Octets frame = {0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA8, 0x01, 0x00, 0x00};
  EXPECT_EQ(ErrorOf(PayloadBody(kZstdPayload, frame)), ErrorKind::kCorrupt);
}

TEST_F(PayloadReaderTest, EveryTruncationOfTheEventIsCorrupt) {
  const EventBytes body = CompressedBody(EventOf(50));
  for (std::size_t size = 0; size < body.bytes().size(); ++size) {
    const Unpacked unpacked = Read(EventBytes().Text(AsText(body.bytes()).substr(0, size)));
    ASSERT_TRUE(unpacked.error) << size;
    EXPECT_EQ(unpacked.error->kind, ErrorKind::kCorrupt) << size;
  }
}

TEST_F(PayloadReaderTest, EveryTruncationOfTheCompressedBytesIsCorrupt) {
  const Octets whole = Zstd(EventOf(50));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(ErrorOf(PayloadBody(kZstdPayload, cut)), ErrorKind::kCorrupt) << size;
  }
}

TEST_F(PayloadReaderTest, GarbageBehindTheCompressedBytesIsCorrupt) {
  for (const Octets& garbage : {Octets{0}, Octets{1, 2, 3, 4, 5}, Octets(100, 0xFF)}) {
    const Unpacked unpacked = Read(PayloadBody(kZstdPayload, Joined({Zstd(EventOf(50)), garbage})));
    EXPECT_EQ(unpacked.events.size(), 1u);
    ASSERT_TRUE(unpacked.error);
    EXPECT_EQ(unpacked.error->kind, ErrorKind::kCorrupt);
  }
}

TEST_F(PayloadReaderTest, DamagedBytesAreEventsOrCorrupt) {
  const EventBytes body = CompressedBody(Joined({EventOf(50), EventOf(50)}));
  for (std::size_t bit = 0; bit < body.bytes().size() * 8; ++bit) {
    Octets damaged = body.bytes();
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1u << (bit % 8)));
    const Unpacked unpacked = Read(damaged);
    if (!unpacked.error || unpacked.error->kind == ErrorKind::kUndecodable) continue;
    EXPECT_EQ(unpacked.error->kind, ErrorKind::kCorrupt) << bit;
  }
  const Unpacked mended = Read(body);
  EXPECT_FALSE(mended.error);
  EXPECT_EQ(mended.events.size(), 2u);
}

TEST_F(PayloadReaderTest, AnUnknownCompressionIsNamed) {
  const Unpacked unpacked = Read(PayloadBody(1, EventOf(0)));
  ASSERT_TRUE(unpacked.error);
  EXPECT_EQ(unpacked.error->kind, ErrorKind::kUndecodable);
  EXPECT_NE(unpacked.error->message.find("compression 1 "), std::string::npos);
}

TEST_F(PayloadReaderTest, FieldsOfLaterVersionsArePassedOver) {
  EventBytes body;
  AppendField(body, 4, 1'000'000);
  body.Packed(300).Packed(2).Text("xy").Text(AsText(CompressedBody(EventOf(1)).bytes()));
  EXPECT_EQ(Read(body).events.size(), 1u);
}

struct LyingHeader {
  const char* claim;
  EventBytes body;

  friend std::ostream& operator<<(std::ostream& out, const LyingHeader& header) {
    return out << header.claim;
  }
};

class PayloadHeaderTest : public PayloadReaderTest,
                          public testing::WithParamInterface<LyingHeader> {};

TEST_P(PayloadHeaderTest, IsCorrupt) { EXPECT_EQ(ErrorOf(GetParam().body), ErrorKind::kCorrupt); }

EventBytes Bytewise(std::string_view bytes) { return EventBytes().Text(bytes); }

INSTANTIATE_TEST_SUITE_P(
    LyingHeaders, PayloadHeaderTest,
    testing::Values(
        LyingHeader{"Empty", {}},  //
        LyingHeader{"NoSize", Bytewise({"\2\1\xFF\0", 4})},
        LyingHeader{"NoCompression", Bytewise({"\1\1\0\0", 4})},
        LyingHeader{"NoEnd", Bytewise({"\2\1\xFF\1\1\0", 6})},
        LyingHeader{"SizeBelowTheRest", Bytewise({"\2\1\xFF\1\1\1\0xy", 9})},
        LyingHeader{"SizeAboveTheRest", Bytewise({"\2\1\xFF\1\1\3\0xy", 9})},
        LyingHeader{"SizeOf64Bits", Bytewise("\2\1\xFF\1\11\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")},
        LyingHeader{"FieldBeyondTheEnd", Bytewise({"\2\1\xFF\1\1\0\3\77\0", 9})},
        LyingHeader{"FieldOfHugeLength", Bytewise("\4\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")},
        LyingHeader{"FieldTooShortForItsNumber", Bytewise({"\2\1\xFF\1\1\xFC\0", 7})},
        LyingHeader{"FieldOfLengthZero", Bytewise({"\2\0\1\1\0\0", 6})},
        LyingHeader{"NumberOfNull", Bytewise({"\2\1\xFF\1\1\xFB\0", 7})}),
    [](const auto& header) { return header.param.claim; });

}  // namespace
}  // namespace outboxd::binlog
