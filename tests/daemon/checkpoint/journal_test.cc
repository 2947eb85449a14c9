#include "daemon/checkpoint/journal.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

constexpr std::string_view kUuid = "11111111-1111-1111-1111-111111111111";

binlog::Gtid GtidOf(std::uint64_t number) {
  return {{binlog::ParseUuid(kUuid).value(), ""}, number};
}

std::string Line(std::uint64_t number, std::initializer_list<std::string_view> ids) {
  JournalLine line;
  for (const std::string_view id : ids) line.Add("shop", "outbox", id);
  return line.Text(GtidOf(number), number);
}

class JournalTest : public testing::Test {
 protected:
  // The ids that the journal knows of these transactions.
  std::vector<std::string> Ids(const std::string& numbers, std::string_view unwritten = "") {
    const auto gtids = binlog::GtidSet::Parse(fmt::format("{}:{}", kUuid, numbers));
    found_ = journal_.Find(gtids.value(), unwritten).value();
    std::vector<std::string> ids;
    for (const PublishedEvent& event : found_.events) ids.push_back(event.id);
    return ids;
  }
  using Names = std::vector<std::string>;

  TemporaryDirectory directory_;
  Journal journal_{directory_.path(), 1000};
  JournalFindings found_;
};

TEST_F(JournalTest, FindsTheEventsOfTransactions) {
  ASSERT_TRUE(journal_.Append(Line(1, {"a"}) + Line(2, {"b", "c"}) + Line(3, {"d"})));
  EXPECT_EQ(Ids("2-3"), (Names{"b", "c", "d"}));
  EXPECT_EQ(found_.events[1], (PublishedEvent{fmt::format("{}:2", kUuid), "shop.outbox", "c", 2}));
  EXPECT_FALSE(found_.is_cut);
  EXPECT_EQ(Ids("4"), Names{});
}

TEST_F(JournalTest, NamesATableWhereItChanges) {
  JournalLine line;
  line.Add("shop", "outbox", "a");
  line.Add("shop", "outbox", "b");
  line.Add("shop", "other", "");
  EXPECT_EQ(line.Text(GtidOf(7), 5),
            fmt::format("{}:7\t5\t3\tshop.outbox\ta\t\tb\tshop.other\t\n", kUuid));
  ASSERT_TRUE(journal_.Append(line.Text(GtidOf(7), 5)));
  EXPECT_EQ(Ids("7"), (Names{"a", "b", ""}));
  EXPECT_EQ(found_.events[1].table, "shop.outbox");
  EXPECT_EQ(found_.events[2].table, "shop.other");
}

TEST_F(JournalTest, FindsWhatXaDecisionsDecided) {
  JournalLine commit;
  commit.Add("shop", "outbox", "a");
  ASSERT_TRUE(journal_.Append(commit.Text(GtidOf(4), 4, GtidOf(2)) +
                              JournalLine().Text(GtidOf(5), 5, GtidOf(3)) +
                              JournalLine().Text(GtidOf(6), 6, GtidOf(1))));
  EXPECT_EQ(Ids("4-5"), Names{"a"});
  EXPECT_EQ(found_.decided.ToText(), fmt::format("{}:2-3", kUuid));
}

TEST_F(JournalTest, AnyBytesMayStandInAnId) {
  const std::string id("\t\n\\\\t\0\xff'", 8);
  ASSERT_TRUE(journal_.Append(Line(1, {id, "\\", ""})));
  EXPECT_EQ(Ids("1"), (Names{id, "\\", ""}));
}

TEST_F(JournalTest, WhatIsPublishedAgainAfterACrashStandsOnce) {
  ASSERT_TRUE(journal_.Append(Line(1, {"a"}) + Line(2, {"b"}) + Line(1, {"a"})));
  EXPECT_EQ(Ids("1-2", Line(2, {"b"}) + Line(3, {"c"})), (Names{"a", "b"}));
}

TEST_F(JournalTest, GoesOnBehindATornLine) {
  const std::string torn = Line(2, {"b"});
  directory_.Write("journal", Line(1, {"a"}) + torn.substr(0, torn.size() / 2));
  EXPECT_EQ(Ids("1-3"), Names{"a"});
  ASSERT_TRUE(journal_.Append(Line(3, {"c"})));
  EXPECT_EQ(Ids("1-3"), (Names{"a", "c"}));
}

TEST_F(JournalTest, PassesOverWhatIsNoLine) {
  directory_.Write("journal", std::string(100, '\0') + "\n\n\t\t\nx\t1\t1\ta\tb\n" +
                                  fmt::format("{0}:1\tx\n{0}:2\t1\t1\n", kUuid) + Line(3, {"c"}));
  EXPECT_EQ(Ids("1-3"), Names{"c"});
}

TEST_F(JournalTest, KeepsTheNewestWithinItsBytes) {
  for (std::uint64_t number = 1; number <= 100; ++number) {
    ASSERT_TRUE(journal_.Append(Line(number, {"e" + std::to_string(number)})));
  }
  const auto ids = Ids("1-100");
  EXPECT_EQ(ids.back(), "e100");
  EXPECT_GE(ids.size(), 500 / Line(100, {"e100"}).size());
  EXPECT_TRUE(found_.is_cut);
  EXPECT_LE(std::filesystem::file_size(directory_ / "journal"), 500u);
  EXPECT_LE(std::filesystem::file_size(directory_ / "journal.old"), 500u);
  Ids("100");
  EXPECT_FALSE(found_.is_cut);
}

TEST_F(JournalTest, GoesOnInTheFileOfTheProcessBefore) {
  ASSERT_TRUE(journal_.Append(Line(1, {"a"})));
  ASSERT_TRUE(Journal(directory_.path(), 1000).Append(Line(2, {"b"})));
  EXPECT_EQ(Ids("1-2"), (Names{"a", "b"}));
  EXPECT_EQ(directory_.Names(), Names{"journal"});
}

TEST_F(JournalTest, OfMoreThanItMayHoldTheLastLinesStay) {
  std::string lines;
  for (std::uint64_t number = 1; number <= 100; ++number) lines += Line(number, {"e"});
  ASSERT_TRUE(journal_.Append(lines));
  EXPECT_LE(std::filesystem::file_size(directory_ / "journal"), 500u);
  EXPECT_EQ(Ids("100"), Names{"e"});
}

TEST_F(JournalTest, OfAHugeTransactionOnlyTheFirstIdsAreKept) {
  Journal large(directory_.path(), 16u << 20);
  JournalLine line;
  const std::string id(100, 'x');
  constexpr std::uint64_t kEvents = 50'000;
  for (std::uint64_t i = 0; i < kEvents; ++i) line.Add("shop", "outbox", id + std::to_string(i));
  const std::string text = line.Text(GtidOf(1), 1);
  EXPECT_LT(text.size(), JournalLine::kBytesMax + 1000);
  ASSERT_TRUE(large.Append(text));
  binlog::GtidSet gtids;
  gtids.Add(GtidOf(1));
  const auto found = large.Find(gtids, "");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->events.size() + found->without_id, kEvents);
  EXPECT_GT(found->without_id, 0u);
}

TEST_F(JournalTest, ADirectoryThatFailsIsAnError) {
  Journal journal(directory_ / "missing", 1000);
  const auto appended = journal.Append(Line(1, {"a"}));
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().kind, ExitCode::kState);
}

}  // namespace
}  // namespace outboxd
