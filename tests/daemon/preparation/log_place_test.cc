#include "daemon/preparation/log_place.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

const std::vector<binlog::LogFile> kFiles = {
    {"binlog.000004", 900}, {"binlog.000005", 40933}, {"binlog.000006", 0}};

TEST(LogPlaceTest, APlaceWithinAFileOfTheServerIsOne) {
  EXPECT_EQ(WhyNoPlace(kFiles, "binlog.000005", 4), std::nullopt);
  EXPECT_EQ(WhyNoPlace(kFiles, "binlog.000005", 40933), std::nullopt);
  EXPECT_EQ(WhyNoPlace(kFiles, "binlog.000006", 99999), std::nullopt) << "its end is not known";
}

TEST(LogPlaceTest, AFileThatNeverWasIsNamedWithThoseThatAre) {
  EXPECT_EQ(WhyNoPlace(kFiles, "binlog.999999", 4),
            "there is no binary log binlog.999999 on the server: it has binlog.000004 to"
            " binlog.000006");
  EXPECT_EQ(WhyNoPlace({{"mysql-bin.000001", 900}}, "binlog.000001", 4),
            "there is no binary log binlog.000001 on the server: it has mysql-bin.000001");
}

TEST(LogPlaceTest, AFileBeforeTheFirstOneWasPurged) {
  EXPECT_EQ(WhyNoPlace(kFiles, "binlog.000003", 4), std::nullopt);
  EXPECT_EQ(WhyNoPlace({{"binlog.1000000", 900}}, "binlog.999999", 4), std::nullopt);
}

TEST(LogPlaceTest, AnOffsetBehindTheEndIsNamedWithTheEnd) {
  EXPECT_EQ(WhyNoPlace(kFiles, "binlog.000005", 999'999'999),
            "binlog.000005 has 40933 bytes, there is no place 999999999 in it");
}

binlog::Position At(const std::string& numbers, std::string file = {}, std::uint64_t offset = 0) {
  constexpr std::string_view kUuid = "11111111-1111-1111-1111-111111111111:";
  binlog::Position position{.gtids = {}, .file = std::move(file), .offset = offset};
  if (!numbers.empty()) {
    position.gtids = binlog::GtidSet::Parse(std::string(kUuid) + numbers).value();
  }
  return position;
}

TEST(MoveTextTest, SaysWhatTheNextRunWillSkipAndPublishAgain) {
  EXPECT_EQ(MoveText(At("1-5"), At("1-5")), "");
  EXPECT_EQ(MoveText(At("1-5"), At("1-6")),
            "the next run will skip 1 transaction: 11111111-1111-1111-1111-111111111111:6\n");
  EXPECT_EQ(MoveText(At("1-5"), At("3-7")),
            "the next run will skip 2 transactions: 11111111-1111-1111-1111-111111111111:6-7\n"
            "the next run will publish 2 transactions again:"
            " 11111111-1111-1111-1111-111111111111:1-2\n");
}

TEST(MoveTextTest, FromAPlaceInAFileSaysItByFileAlone) {
  EXPECT_EQ(MoveText(At("1-5", "binlog.000002", 900), At("", "binlog.000002", 4)),
            "the next run will publish what stands from binlog.000002:4 to binlog.000002:900"
            " again\n");
  EXPECT_EQ(MoveText(At("", "binlog.000001", 4), At("1-5", "binlog.000002", 900)),
            "the next run will skip what stands from binlog.000001:4 to binlog.000002:900\n");
}

TEST(MoveTextTest, BetweenAFileAndASetItSaysThatItCannotBeTold) {
  EXPECT_EQ(MoveText(At("1-5"), At("", "binlog.000002", 4)),
            "what the next run will skip or publish again cannot be told: one of the places is in a"
            " file, the other one a set of GTIDs\n");
}

}  // namespace
}  // namespace outboxd
