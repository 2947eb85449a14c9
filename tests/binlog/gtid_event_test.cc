#include "binlog/gtid_event.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/binlog/event_bytes.h"

namespace outboxd::binlog {
namespace {

constexpr std::string_view kUuidBytes(
    "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xff", 16);
constexpr std::string_view kUuidText = "01020304-0506-0708-090a-0b0c0d0e0fff";

EventBytes Untagged(std::uint64_t number) {
  EventBytes body;
  body.Little(0, 1).Text(kUuidBytes).Little(number, 8);
  return body;
}

TEST(GtidEventTest, ReadsTheShortestFormOfOldServers) {
  const auto event = ParseGtidEvent(EventType::kGtid, Untagged(5).bytes());
  ASSERT_TRUE(event);
  EXPECT_EQ(ToText(*event->gtid), std::string(kUuidText) + ":5");
  EXPECT_EQ(event->original_commit_us, 0u);
}

TEST(GtidEventTest, TakesTheImmediateTimeForTheOriginalOne) {
  auto body = Untagged(5);
  body.Little(2, 1).Little(1, 8).Little(2, 8).Little(1'700'000'000'000'001, 7);
  const auto event = ParseGtidEvent(EventType::kGtid, body.bytes());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->original_commit_us, 1'700'000'000'000'001u);
}

TEST(GtidEventTest, ReadsTheOriginalTimeWhereBit55AnnouncesIt) {
  auto body = Untagged(5);
  body.Little(2, 1).Little(1, 8).Little(2, 8);
  body.Little(1'700'000'000'000'002 | 1ull << 55, 7).Little(1'700'000'000'000'001, 7);
  const auto event = ParseGtidEvent(EventType::kGtid, body.bytes());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->original_commit_us, 1'700'000'000'000'001u);
}

TEST(GtidEventTest, ReadsTheFormOf57WithoutTimes) {
  auto body = Untagged(5);
  body.Little(2, 1).Little(1, 8).Little(2, 8);
  ASSERT_EQ(body.bytes().size(), 42u);
  const auto event = ParseGtidEvent(EventType::kGtid, body.bytes());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->gtid->number, 5u);
  EXPECT_EQ(event->original_commit_us, 0u);
  for (std::size_t size = 26; size < body.bytes().size(); ++size) {
    EXPECT_FALSE(ParseGtidEvent(EventType::kGtid, Bytes(body.bytes()).first(size))) << size;
  }
}

// The length of the transaction, here of 4 GiB, both servers' versions and the commit group's
// ticket.
TEST(GtidEventTest, WhatFollowsTheTimesDoesNotMatter) {
  auto body = Untagged(5);
  body.Little(2, 1).Little(1, 8).Little(2, 8).Little(1'700'000'000'000'001, 7);
  body.Packed(1ull << 32).Little(0x80000000 | 90704, 4).Little(80046, 4).Little(7, 8);
  const auto event = ParseGtidEvent(EventType::kGtid, body.bytes());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->original_commit_us, 1'700'000'000'000'001u);
}

TEST(GtidEventTest, AnAnonymousTransactionHasNoGtid) {
  const auto event = ParseGtidEvent(EventType::kAnonymousGtid, Untagged(0).bytes());
  ASSERT_TRUE(event);
  EXPECT_FALSE(event->gtid);
}

TEST(GtidEventTest, RejectsTruncatedForms) {
  const auto body = Untagged(5);
  for (std::size_t size = 0; size < body.bytes().size(); ++size) {
    EXPECT_FALSE(ParseGtidEvent(EventType::kGtid, Bytes(body.bytes()).first(size))) << size;
  }
}

EventBytes Tagged(std::uint64_t number = 300, std::string_view tag = "blue") {
  EventBytes body;
  body.Serialized(1).Serialized(60).Serialized(11);
  body.Serialized(0).Serialized(0);  // Flags.
  body.Serialized(1);
  for (const char byte : kUuidBytes) body.Serialized(static_cast<std::uint8_t>(byte));
  body.Serialized(2).Serialized(number << 1);  // Signed.
  body.Serialized(3).Serialized(tag.size()).Text(tag);
  return body;
}

TEST(GtidEventTest, ReadsATaggedGtidWithUuidBytesAbove127) {
  const auto event = ParseGtidEvent(EventType::kGtidTagged, Tagged().bytes());
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(ToText(*event->gtid), std::string(kUuidText) + ":blue:300");
}

TEST(GtidEventTest, ATaggedEventMayHaveNoTag) {
  const auto event = ParseGtidEvent(EventType::kGtidTagged, Tagged(300, "").bytes());
  ASSERT_TRUE(event);
  EXPECT_EQ(ToText(*event->gtid), std::string(kUuidText) + ":300");
}

TEST(GtidEventTest, ATaggedEventLeavesTheOriginalTimeOutWhereItIsTheImmediateOne) {
  auto body = Tagged();
  body.Serialized(4).Serialized(2).Serialized(5).Serialized(4).Serialized(6).Serialized(1000);
  EXPECT_EQ(ParseGtidEvent(EventType::kGtidTagged, body.bytes())->original_commit_us, 1000u);
  body.Serialized(7).Serialized(999).Serialized(8).Serialized(300).Serialized(9).Serialized(9074);
  EXPECT_EQ(ParseGtidEvent(EventType::kGtidTagged, body.bytes())->original_commit_us, 999u);
}

TEST(GtidEventTest, UnknownFieldsOfATaggedEventAreIgnoredWhereTheyMayBe) {
  auto body = Tagged();
  body.Serialized(12).Serialized(9).Text("anything");
  EXPECT_TRUE(ParseGtidEvent(EventType::kGtidTagged, body.bytes()));
}

TEST(GtidEventTest, RefusesATaggedEventThatNeedsAnUnknownField) {
  EventBytes body;
  body.Serialized(1).Serialized(60).Serialized(12);
  const auto event = ParseGtidEvent(EventType::kGtidTagged, body.bytes());
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().kind, ErrorKind::kUndecodable);
}

TEST(GtidEventTest, RejectsNumbersThatNoTransactionHas) {
  const auto kind_of = [](std::uint64_t number) {
    const auto event = ParseGtidEvent(EventType::kGtid, Untagged(number).bytes());
    return event ? std::nullopt : std::optional(event.error().kind);
  };
  EXPECT_EQ(kind_of(0), ErrorKind::kCorrupt);
  EXPECT_EQ(kind_of(1), std::nullopt);
  EXPECT_EQ(kind_of(kGtidNumberMax), std::nullopt);
  EXPECT_EQ(kind_of(kGtidNumberMax + 1), ErrorKind::kCorrupt);
  EXPECT_FALSE(ParseGtidEvent(EventType::kGtidTagged, Tagged(0).bytes()));
}

// A checkpoint that holds it could not be read again.
TEST(GtidEventTest, RejectsTagsThatMysqlDoesNotStore) {
  for (const std::string& tag : {std::string("blu/"), std::string("Blue"), std::string("1st"),
                                 std::string("a:1"), std::string(33, 'a')}) {
    const auto event = ParseGtidEvent(EventType::kGtidTagged, Tagged(300, tag).bytes());
    ASSERT_FALSE(event) << tag;
    EXPECT_EQ(event.error().kind, ErrorKind::kCorrupt) << tag;
  }
  EXPECT_TRUE(ParseGtidEvent(EventType::kGtidTagged, Tagged(300, std::string(32, 'a')).bytes()));
}

TEST(GtidEventTest, RejectsATruncatedTaggedEvent) {
  const auto body = Tagged();
  for (std::size_t size = 0; size + 7 < body.bytes().size(); ++size) {
    EXPECT_FALSE(ParseGtidEvent(EventType::kGtidTagged, Bytes(body.bytes()).first(size))) << size;
  }
}

}  // namespace
}  // namespace outboxd::binlog
