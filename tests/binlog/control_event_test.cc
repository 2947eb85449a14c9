#include "binlog/control_event.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/binlog/event_stream.h"

namespace outboxd::binlog {
namespace {

std::vector<std::uint8_t> FormatEvent(const EventBytes& body) {
  return MakeEvent(EventType::kFormatDescription, body, 126);
}

TEST(FormatDescriptionTest, TellsVersionChecksumsAndEventTypes) {
  for (const bool has_checksums : {false, true}) {
    const auto event = FormatEvent(FormatDescriptionBody(has_checksums).Little(0, 4));
    const auto format = ParseFormatDescription(event);
    ASSERT_TRUE(format) << format.error().message;
    EXPECT_EQ(format->server_version, "9.7.4");
    EXPECT_EQ(format->has_checksums, has_checksums);
    EXPECT_EQ(format->event_types, 42);
  }
}

EventBytes FormatBody(int binlog_version, int header_bytes, std::size_t types, int algorithm) {
  EventBytes body;
  body.Little(static_cast<std::uint64_t>(binlog_version), 2).Text(std::string(50, 'v'));
  body.Little(0, 4).Little(static_cast<std::uint64_t>(header_bytes), 1);
  return body.Text(std::string(types, '\1'))
      .Little(static_cast<std::uint64_t>(algorithm), 1)
      .Little(0, 4);
}

TEST(FormatDescriptionTest, TypesBeyondOneByteAreAllThatAreKnown) {
  const auto event = FormatEvent(FormatBody(4, 19, 300, 0));
  EXPECT_EQ(ParseFormatDescription(event)->event_types, 255);
  EXPECT_EQ(ParseFormatDescription(event)->server_version, std::string(50, 'v'));
}

TEST(FormatDescriptionTest, RefusesFormatsItDoesNotKnow) {
  for (const auto& body :
       {FormatBody(3, 19, 42, 0), FormatBody(4, 13, 42, 0), FormatBody(4, 19, 42, 2)}) {
    const auto format = ParseFormatDescription(FormatEvent(body));
    ASSERT_FALSE(format);
    EXPECT_EQ(format.error().kind, ErrorKind::kUndecodable);
  }
}

// Of before 5.6.1 the last bytes are no checksum but the lengths of types.
TEST(FormatDescriptionTest, NamesTheVersionOfAServerWhoseLogIsNotRead) {
  for (const std::string version : {"5.0.96-log", "5.5.62", "5.6.0-m4", "10.11.6-MariaDB-log"}) {
    EventBytes body;
    body.Little(4, 2).Text(version).Text(std::string(50 - version.size(), '\0')).Little(0, 4);
    body.Little(19, 1).Text(std::string(27, '\x08'));
    const auto format = ParseFormatDescription(FormatEvent(body));
    ASSERT_FALSE(format) << version;
    EXPECT_EQ(format.error().kind, ErrorKind::kUndecodable);
    EXPECT_NE(format.error().message.find("server " + version + ":"), std::string::npos);
  }
}

TEST(FormatDescriptionTest, ReadsWhateverVersionHasChecksums) {
  for (const std::string version : {"5.6.1", "5.7.44-48-log", "8.0.mysql_aurora.3.04", "9.7.4"}) {
    EventBytes body;
    body.Little(4, 2).Text(version).Text(std::string(50 - version.size(), '\0')).Little(0, 4);
    const auto event = FormatEvent(body.Little(19, 1).Text(std::string(40, '\x08')).Little(0, 5));
    const auto format = ParseFormatDescription(event);
    ASSERT_TRUE(format) << format.error().message;
    EXPECT_EQ(format->server_version, version);
  }
}

TEST(FormatDescriptionTest, RejectsAnEventWithoutRoomForItsFields) {
  const auto event = FormatEvent(FormatBody(4, 19, 0, 0));
  EXPECT_TRUE(ParseFormatDescription(event));
  for (std::size_t size = 0; size < event.size(); ++size) {
    const auto format = ParseFormatDescription(Bytes(event).first(size));
    ASSERT_FALSE(format) << size;
    EXPECT_EQ(format.error().kind, ErrorKind::kCorrupt);
  }
}

TEST(RotateTest, NamesTheFileToTheEndOfTheEvent) {
  const auto body = RotateBody("binlog.1000000", 1ull << 40);
  const auto rotate = ParseRotate(body.bytes());
  ASSERT_TRUE(rotate);
  EXPECT_EQ(rotate->file, "binlog.1000000");
  EXPECT_EQ(rotate->offset, 1ull << 40);
  for (std::size_t size = 0; size <= 8; ++size) {
    EXPECT_FALSE(ParseRotate(Bytes(body.bytes()).first(size))) << size;
  }
}

TEST(IncidentTest, ATextThatIsCutOffIsEmpty) {
  const auto body = EventBytes().Little(1, 2).Little(4, 1).Text("LOST");
  EXPECT_EQ(ParseIncident(body.bytes()), "LOST");
  for (std::size_t size = 0; size < body.bytes().size(); ++size) {
    EXPECT_EQ(ParseIncident(Bytes(body.bytes()).first(size)), "") << size;
  }
}

TEST(XaPrepareTest, TellsWhetherItCommitsAtOnce) {
  EXPECT_EQ(ParseXaPrepareIsOnePhase(XaPrepareBody(true).bytes()), true);
  EXPECT_EQ(ParseXaPrepareIsOnePhase(XaPrepareBody(false).bytes()), false);
  EXPECT_FALSE(ParseXaPrepareIsOnePhase({}));
}

TEST(HeartbeatTest, HasItsFileAndTheLowerBitsOfItsOffset) {
  const EventBytes body = EventBytes().Text("binlog.000001");
  const Heartbeat heartbeat = ParseHeartbeat(EventType::kHeartbeat, 5000, body.bytes());
  EXPECT_EQ(heartbeat.file, "binlog.000001");
  EXPECT_EQ(heartbeat.offset, 5000u);
}

TEST(HeartbeatTest, OfTheSecondKindIsFieldsOfWhichSomeMayBeUnknown) {
  EventBytes body;
  body.Packed(9).Packed(300).Text(std::string(300, 'x')).Packed(1).Packed(3).Text("b.1");
  body.Packed(2).Packed(9).Packed(std::uint64_t{5} << 32).Packed(0).Text("behind");
  const Heartbeat heartbeat = ParseHeartbeat(EventType::kHeartbeatV2, 7, body.bytes());
  EXPECT_EQ(heartbeat.file, "b.1");
  EXPECT_EQ(heartbeat.offset, std::uint64_t{5} << 32);
}

TEST(HeartbeatTest, ThatIsCutOffTellsNothing) {
  EventBytes body;
  body.Packed(1).Packed(3).Text("b.1").Packed(2).Packed(9).Packed(std::uint64_t{5} << 32);
  for (std::size_t size = 0; size < body.bytes().size(); ++size) {
    const Bytes cut = Bytes(body.bytes()).first(size);
    EXPECT_EQ(ParseHeartbeat(EventType::kHeartbeatV2, 7, cut).offset, 0u) << size;
  }
}

}  // namespace
}  // namespace outboxd::binlog
