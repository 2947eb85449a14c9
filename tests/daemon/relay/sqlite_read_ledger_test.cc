#include "daemon/relay/sqlite_read_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::string_literals;

constexpr std::size_t kTable = 3, kOther = 4;

// In memory, and in a directory.
class SqliteReadLedgerTest : public ::testing::TestWithParam<bool> {
 protected:
  void Arrive(std::string_view place, std::size_t table = kTable) {
    ASSERT_TRUE(ledger_.AddArrival(table, place));
  }
  void Keep(std::string_view place, std::string_view image, std::size_t table = kTable) {
    ASSERT_TRUE(ledger_.KeepImage(table, place, image));
  }
  bool LeavesOut(std::string_view place, std::size_t table = kTable) {
    return ledger_.LeavesOut(table, place).value();
  }
  // "PLACE=BYTES" of each.
  std::vector<std::string> Images(const std::optional<std::string>& after = {},
                                  const std::optional<std::string>& up_to = {}) {
    std::vector<std::string> images;
    EXPECT_TRUE(ledger_.BeginImages(kTable, after, up_to));
    for (auto image = ledger_.NextImage(); image.value(); image = ledger_.NextImage()) {
      images.push_back(std::string((*image)->place) + "=" + std::string((*image)->bytes));
    }
    return images;
  }

  TemporaryDirectory directory_;
  SqliteReadLedger ledger_{GetParam() ? directory_.path() : ""};
};

INSTANTIATE_TEST_SUITE_P(Where, SqliteReadLedgerTest, testing::Bool(), [](const auto& where) {
  return where.param ? "InADirectory" : "InMemory";
});

TEST_P(SqliteReadLedgerTest, KnowsNothingAtFirst) {
  EXPECT_FALSE(LeavesOut("a"));
  EXPECT_THAT(Images(), IsEmpty());
  EXPECT_TRUE(ledger_.ForgetUpTo(kTable, "a"));
  EXPECT_TRUE(ledger_.ForgetTable(kTable));
  EXPECT_TRUE(ledger_.Clear());
}

TEST_P(SqliteReadLedgerTest, LeavesOutWhatArrivedAndGivesNoImageOfIt) {
  Arrive("b");
  Arrive("b");
  EXPECT_TRUE(LeavesOut("b"));
  EXPECT_FALSE(LeavesOut("a"));
  EXPECT_FALSE(LeavesOut("bb"));
  EXPECT_THAT(Images(), IsEmpty());
}

TEST_P(SqliteReadLedgerTest, LeavesOutWhatItHasAnImageOf) {
  Keep("b", "image");
  EXPECT_TRUE(LeavesOut("b"));
  EXPECT_THAT(Images(), ElementsAre("b=image"));
}

TEST_P(SqliteReadLedgerTest, KeepsTheFirstImageOfAPlace) {
  Keep("b", "first");
  Keep("b", "second");
  EXPECT_THAT(Images(), ElementsAre("b=first"));
}

TEST_P(SqliteReadLedgerTest, KeepsNoImageWhereARowHasArrived) {
  Arrive("b");
  Keep("b", "of the row that arrived");
  EXPECT_TRUE(LeavesOut("b"));
  EXPECT_THAT(Images(), IsEmpty());
}

TEST_P(SqliteReadLedgerTest, KeepsTheImageThatWasThereBeforeARowArrived) {
  Keep("b", "image");
  Arrive("b");
  Keep("b", "of the row that arrived");
  EXPECT_THAT(Images(), ElementsAre("b=image"));
}

TEST_P(SqliteReadLedgerTest, GoesThroughImagesInTheOrderOfPlaces) {
  for (const char* place : {"c", "aa", "b", "a"}) Keep(place, "i");
  EXPECT_THAT(Images(), ElementsAre("a=i", "aa=i", "b=i", "c=i"));
}

TEST_P(SqliteReadLedgerTest, GivesTheImagesBehindOnePlaceUpToAnother) {
  for (const char* place : {"a", "b", "c", "d"}) Keep(place, "i");
  EXPECT_THAT(Images("a", "c"), ElementsAre("b=i", "c=i"));
  EXPECT_THAT(Images("b"), ElementsAre("c=i", "d=i"));
  EXPECT_THAT(Images({}, "b"), ElementsAre("a=i", "b=i"));
  EXPECT_THAT(Images("c", "b"), IsEmpty());
  EXPECT_THAT(Images(), ElementsAre("a=i", "b=i", "c=i", "d=i")) << "no bound is left over";
}

TEST_P(SqliteReadLedgerTest, AnEmptyPlaceIsTheFirstOfAll) {
  Keep("", "empty");
  Keep("a", "");
  EXPECT_TRUE(LeavesOut(""));
  EXPECT_THAT(Images(), ElementsAre("=empty", "a="));
  EXPECT_THAT(Images(""), ElementsAre("a="));
  EXPECT_THAT(Images({}, ""), ElementsAre("=empty"));
  ASSERT_TRUE(ledger_.ForgetUpTo(kTable, ""));
  EXPECT_THAT(Images(), ElementsAre("a="));
}

TEST_P(SqliteReadLedgerTest, APlaceWithoutBytesNeedsNoPointer) {
  Keep(std::string_view(), std::string_view());
  EXPECT_TRUE(LeavesOut(""));
  EXPECT_THAT(Images(), ElementsAre("="));
}

TEST_P(SqliteReadLedgerTest, PlacesAndImagesAreBytes) {
  for (const auto& place : {"a\0b"s, "a"s, "a\xff"s, "\x80"s, "a\0a"s, "\0"s}) Keep(place, place);
  EXPECT_THAT(Images(), ElementsAre("\0=\0"s, "a=a"s, "a\0a=a\0a"s, "a\0b=a\0b"s, "a\xff=a\xff"s,
                                    "\x80=\x80"s));
  EXPECT_THAT(Images("a\0a"s, "a\xff"s), ElementsAre("a\0b=a\0b"s, "a\xff=a\xff"s));
  EXPECT_FALSE(LeavesOut("a\0"s));
}

TEST_P(SqliteReadLedgerTest, AnImageKeepsAMegabyte) {
  const std::string image(1 << 20, 'x');
  Keep("a", image);
  EXPECT_THAT(Images(), ElementsAre("a=" + image));
}

TEST_P(SqliteReadLedgerTest, ForgetsThePlacesUpToOne) {
  Arrive("a");
  Keep("b", "i");
  Keep("c", "i");
  Arrive("a", kOther);
  ASSERT_TRUE(ledger_.ForgetUpTo(kTable, "b"));
  EXPECT_FALSE(LeavesOut("a"));
  EXPECT_FALSE(LeavesOut("b"));
  EXPECT_TRUE(LeavesOut("a", kOther));
  EXPECT_THAT(Images(), ElementsAre("c=i"));
}

TEST_P(SqliteReadLedgerTest, ForgetsATableAndNoOther) {
  Keep("a", "i");
  Arrive("b");
  Arrive("a", kOther);
  ASSERT_TRUE(ledger_.ForgetTable(kTable));
  EXPECT_THAT(Images(), IsEmpty());
  EXPECT_FALSE(LeavesOut("b"));
  EXPECT_TRUE(LeavesOut("a", kOther));
}

TEST_P(SqliteReadLedgerTest, ImagesOfAnotherTableAreNotGiven) {
  Keep("a", "i", kOther);
  EXPECT_THAT(Images(), IsEmpty());
}

TEST_P(SqliteReadLedgerTest, ImagesThatWereLeftInTheMiddleBeginAgain) {
  Keep("a", "i");
  Keep("b", "i");
  ASSERT_TRUE(ledger_.BeginImages(kTable, {}, {}));
  ASSERT_TRUE(ledger_.NextImage().value());
  ledger_.EndImages();
  EXPECT_THAT(Images(), ElementsAre("a=i", "b=i"));
}

TEST_P(SqliteReadLedgerTest, GivesNoImageBehindTheLast) {
  Keep("a", "i");
  EXPECT_EQ(Images().size(), 1u);
  EXPECT_FALSE(ledger_.NextImage().value());
}

TEST_P(SqliteReadLedgerTest, ClearForgetsEverythingAndItGoesOn) {
  Keep("a", "i");
  Arrive("b", kOther);
  ASSERT_TRUE(ledger_.Clear());
  EXPECT_FALSE(LeavesOut("a"));
  EXPECT_FALSE(LeavesOut("b", kOther));
  Keep("c", "i");
  EXPECT_THAT(Images(), ElementsAre("c=i"));
}

TEST_P(SqliteReadLedgerTest, LeavesNoNameInTheDirectory) {
  for (int i = 0; i < 3; ++i) {
    Keep("a", "i");
    EXPECT_THAT(directory_.Names(), IsEmpty());
    ASSERT_TRUE(ledger_.Clear());
  }
}

// More than it keeps in memory.
TEST(SqliteReadLedgerFileTest, HoldsMoreThanItsMemoryInTheUnlinkedFile) {
  const TemporaryDirectory directory;
  SqliteReadLedger ledger(directory.path());
  const std::string image(64 << 10, 'x');
  for (int i = 1000; i < 1400; ++i) {
    ASSERT_TRUE(ledger.KeepImage(kTable, std::to_string(i), image));
  }
  EXPECT_THAT(directory.Names(), IsEmpty());
  ASSERT_TRUE(ledger.BeginImages(kTable, "1398", {}));
  const auto last = ledger.NextImage();
  ASSERT_TRUE(last && *last);
  EXPECT_EQ((*last)->place, "1399");
  EXPECT_EQ((*last)->bytes, image);
}

class MissingDirectoryTest : public ::testing::Test {
 protected:
  TemporaryDirectory parent_;
  const std::string path_ = parent_ / "spill";
  SqliteReadLedger ledger_{path_};
};

TEST_F(MissingDirectoryTest, NothingCanBeEnteredAndTheDirectoryIsNamed) {
  const auto arrived = ledger_.AddArrival(kTable, "a");
  ASSERT_FALSE(arrived);
  EXPECT_EQ(arrived.error().kind, binlog::ErrorKind::kSpill);
  EXPECT_THAT(arrived.error().message, HasSubstr(path_));
  const auto kept = ledger_.KeepImage(kTable, "a", "i");
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().kind, binlog::ErrorKind::kSpill);
}

TEST_F(MissingDirectoryTest, AfterClearItGoesOnWhereTheDirectoryIsBack) {
  ASSERT_FALSE(ledger_.AddArrival(kTable, "a"));
  std::filesystem::create_directory(path_);
  ASSERT_TRUE(ledger_.Clear());
  ASSERT_TRUE(ledger_.AddArrival(kTable, "a"));
  EXPECT_TRUE(ledger_.LeavesOut(kTable, "a").value());
}

}  // namespace
}  // namespace outboxd
