#include "daemon/relay/dead_letter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace outboxd {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

// "name=value" for each header, "name" for one that is null.
std::vector<std::string> Texts(const sinks::Message& message) {
  std::vector<std::string> texts;
  for (const sinks::Header& header : message.headers) {
    std::string& text = texts.emplace_back(header.name);
    if (header.value) text.append("=").append(*header.value);
  }
  return texts;
}

const HeldEvent kEvent{.position = "uuid:7:1",
                       .id = "e1",
                       .table = "shop.outbox",
                       .topic = "orders",
                       .reason = "too large",
                       .hint = "raise the limit",
                       .since_us = 1'760'000'000'123'456};

TEST(DeadLetterTest, HoldsTheWholeMessageAndWhereFromAndWhy) {
  const std::array headers{sinks::Header{"id", "e1"}, sinks::Header{"trace", std::nullopt}};
  const sinks::Message original{.topic = "orders",
                                .key = "k",
                                .value = "v",
                                .headers = headers,
                                .partition = 2,
                                .timestamp = milliseconds(99)};
  DeadLetter maker("dead");
  const sinks::Message letter = maker.Make(original, kEvent);
  EXPECT_EQ(letter.topic, "dead");
  EXPECT_EQ(letter.key, "k");
  EXPECT_EQ(letter.value, "v");
  EXPECT_EQ(letter.partition, std::nullopt);
  EXPECT_EQ(letter.timestamp, milliseconds(99));
  EXPECT_THAT(Texts(letter),
              ElementsAre("id=e1", "trace", "outboxd.dead.topic=orders", "outboxd.dead.partition=2",
                          "outboxd.dead.reason=too large HINT: raise the limit",
                          "outboxd.dead.position=uuid:7:1", "outboxd.dead.table=shop.outbox",
                          "outboxd.dead.time=2025-10-09T08:53:20.123Z"));
}

TEST(DeadLetterTest, NamesNoPartitionThatTheRowDidNotAndKeepsNulls) {
  DeadLetter maker("dead");
  const sinks::Message letter = maker.Make({.topic = "orders"}, kEvent);
  EXPECT_FALSE(letter.key || letter.value || letter.timestamp);
  EXPECT_EQ(Texts(letter).size(), 5u);
}

TEST(DeadLetterTest, LeavesOutATimestampThatNoTopicTakes) {
  DeadLetter maker("dead");
  const sinks::Message letter =
      maker.Make({.topic = "orders", .timestamp = milliseconds(-1)}, kEvent);
  EXPECT_EQ(letter.timestamp, std::nullopt);
}

TEST(DeadLetterTest, IsReadAndRestoredAsItWas) {
  const std::array headers{sinks::Header{"id", "e1"}, sinks::Header{"trace", std::nullopt}};
  const sinks::Message original{.topic = "orders",
                                .key = "k",
                                .value = std::nullopt,
                                .headers = headers,
                                .partition = 2,
                                .timestamp = milliseconds(99)};
  DeadLetter maker("dead");
  const sinks::Message letter = maker.Make(original, kEvent);
  const auto facts = ReadDeadLetter(letter);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->position, "uuid:7:1");
  EXPECT_EQ(facts->id, "e1");
  EXPECT_EQ(facts->table, "shop.outbox");
  EXPECT_EQ(facts->reason, "too large HINT: raise the limit");
  EXPECT_EQ(facts->time, "2025-10-09T08:53:20.123Z");
  std::vector<sinks::Header> restored_headers;
  const sinks::Message restored = Restore(letter, *facts, restored_headers);
  EXPECT_EQ(restored.topic, "orders");
  EXPECT_EQ(restored.partition, 2);
  EXPECT_EQ(restored.key, "k");
  EXPECT_EQ(restored.value, std::nullopt);
  EXPECT_EQ(restored.timestamp, milliseconds(99));
  EXPECT_THAT(Texts(restored), ElementsAre("id=e1", "trace"));
}

TEST(DeadLetterTest, OtherMessagesAreNone) {
  EXPECT_FALSE(ReadDeadLetter({.topic = "dead", .key = "k", .value = "v"}));
  const std::array headers{sinks::Header{kDeadTopic, "orders"}, sinks::Header{kDeadPosition, "p"},
                           sinks::Header{kDeadPartition, "2x"}};
  EXPECT_FALSE(ReadDeadLetter({.topic = "dead", .headers = headers}));
}

}  // namespace
}  // namespace outboxd
