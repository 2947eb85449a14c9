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

}  // namespace
}  // namespace outboxd
