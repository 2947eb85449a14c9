#include "daemon/relay/read_dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/captured_log.h"
#include "tests/daemon/fake_source.h"

namespace outboxd {
namespace {

using binlog::ErrorKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = LoggedTransaction::Kind;
using Opened = ReadDump::Opened;

constexpr std::string_view kUuid = FakeSource::kUuid;

std::string GtidsTo(int number) { return fmt::format("{}:1-{}", kUuid, number); }

// The dump of a read that began behind the server's first transaction.
class ReadDumpTest : public ::testing::Test {
 protected:
  ReadDumpTest() { source_.transactions = {{"before"}}; }

  static Progress Beginning() {
    Progress progress;
    progress.server_uuid = kUuid;
    progress.position.gtids = binlog::GtidSet::Parse(fmt::format("{}:1", kUuid)).value();
    progress.read = InitialRead{};
    return progress;
  }
  void Select() {
    binlog::TableSelection selection;
    selection.schema_pattern = "shop";
    selection.table_pattern = "outbox";
    selection.columns = {"id"};
    selection.takes_all_changes = true;
    dump_.Select({selection});
  }
  void OpenAndSelect() {
    ASSERT_EQ(dump_.Open().value(), Opened::kOpen);
    Select();
  }
  // To the end of a transaction.
  void ReadTransaction() {
    for (auto read = dump_.Read(); !read.value(); read = dump_.Read()) {
    }
  }
  // The ids of the rows in hand.
  std::vector<std::string> Rows() {
    std::vector<std::string> ids;
    while (dump_.has_rows()) {
      const auto row = dump_.NextRow();
      if (row.value() != nullptr) ids.emplace_back((*row)->values[0].value_or("NULL"));
    }
    return ids;
  }
  // Those of all rows up to the end of the log.
  std::vector<std::string> ReadToEnd() {
    std::vector<std::string> ids;
    while (!dump_.HasReached(source_.EndOfLog())) {
      if (!dump_.Read().value()) continue;
      for (std::string& id : Rows()) ids.push_back(std::move(id));
    }
    return ids;
  }

  CapturedLog log_;
  FakeSource source_;
  DeliveryTracker tracker_{Beginning()};
  binlog::CharacterSets character_sets_;
  ReadDump dump_{{source_, tracker_, character_sets_}, nullptr, {}};
};

TEST_F(ReadDumpTest, ShowsEveryChangeBehindTheBeginningUpToTheEnd) {
  source_.transactions.insert(
      source_.transactions.end(),
      {{"a", "b"}, LoggedTransaction::Update("c"), LoggedTransaction::Delete("d")});
  OpenAndSelect();
  EXPECT_EQ(source_.opened_from, fmt::format("{}:1", kUuid));
  EXPECT_THAT(ReadToEnd(), ElementsAre("a", "b", "c", "d"));
}

TEST_F(ReadDumpTest, ClosedItGoesOnBehindWhatWasRead) {
  source_.transactions.push_back({"a"});
  OpenAndSelect();
  EXPECT_THAT(ReadToEnd(), ElementsAre("a"));
  dump_.Close();
  EXPECT_FALSE(dump_.is_open());
  source_.transactions.push_back({"b"});
  ASSERT_TRUE(dump_.Open());
  EXPECT_EQ(source_.opened_from, GtidsTo(2));
  ASSERT_TRUE(source_.known_history.last_gtid);
  EXPECT_EQ(source_.known_history.last_gtid->number, 2u);
  EXPECT_THAT(ReadToEnd(), ElementsAre("b"));
}

TEST_F(ReadDumpTest, BegunAnewItReadsFromTheBeginningAndKnowsOfNothing) {
  source_.transactions.push_back(LoggedTransaction::Xa(Kind::kXaPrepare, {"a"}));
  OpenAndSelect();
  ReadToEnd();
  EXPECT_EQ(dump_.prepared().held_count(), 1u);
  dump_.BeginAnew();
  EXPECT_FALSE(dump_.is_open());
  EXPECT_EQ(dump_.prepared().held_count(), 0u);
  ASSERT_TRUE(dump_.Open());
  EXPECT_EQ(source_.opened_from, fmt::format("{}:1", kUuid));
  EXPECT_FALSE(source_.known_history.last_gtid);
  ReadToEnd();
  EXPECT_EQ(dump_.prepared().held_count(), 1u);
}

// A transaction whose terminator was fed counts as read.
TEST_F(ReadDumpTest, RowsInHandAreReturnedThoughTheLogIsOpenedAgain) {
  source_.transactions.push_back({"a", "b", "c"});
  OpenAndSelect();
  ReadTransaction();
  ASSERT_TRUE(dump_.NextRow());
  dump_.Close();
  ASSERT_TRUE(dump_.Open());
  ASSERT_TRUE(dump_.has_rows());
  EXPECT_THAT(Rows(), ElementsAre("b", "c"));
  EXPECT_THAT(ReadToEnd(), IsEmpty());
}

TEST_F(ReadDumpTest, AnOpeningThatWasNotReadOfLeavesWhereItGoesOnAsItWas) {
  source_.transactions.push_back({"a"});
  OpenAndSelect();
  dump_.Close();
  ASSERT_TRUE(dump_.Open());
  EXPECT_EQ(source_.opened_from, fmt::format("{}:1", kUuid));
  ReadToEnd();
  for (int i = 0; i < 2; ++i) {
    dump_.Close();
    ASSERT_TRUE(dump_.Open());
    EXPECT_EQ(source_.opened_from, GtidsTo(2));
  }
}

TEST_F(ReadDumpTest, AnotherServerIsToldAndReadFromTheBeginning) {
  source_.transactions.push_back({"a"});
  OpenAndSelect();
  ReadToEnd();
  dump_.Close();
  source_.server_uuid = "22222222-2222-2222-2222-222222222222";
  EXPECT_EQ(dump_.Open().value(), Opened::kOtherServer);
  EXPECT_FALSE(dump_.is_open());
  dump_.BeginAnew();
  EXPECT_EQ(dump_.Open().value(), Opened::kOpen);
  EXPECT_EQ(source_.opened_from, fmt::format("{}:1", kUuid));
  EXPECT_EQ(source_.known_history.server_uuid, kUuid) << "that of the beginning";
  EXPECT_THAT(ReadToEnd(), ElementsAre("a"));
  EXPECT_THAT(log_.text(), HasSubstr("the initial read goes on at server 22222222-2222"));
}

TEST_F(ReadDumpTest, WhatAnotherServerLacksOfWhatWasReadIsLogged) {
  source_.transactions.push_back({"a"});
  OpenAndSelect();
  ReadToEnd();
  dump_.Close();
  source_.server_uuid = "22222222-2222-2222-2222-222222222222";
  source_.lost = binlog::GtidSet::Parse(fmt::format("{}:2", kUuid)).value();
  EXPECT_EQ(dump_.Open().value(), Opened::kOtherServer);
  EXPECT_THAT(log_.text(), HasSubstr(fmt::format("has seen: {}:2; nothing of them", kUuid)));
}

TEST_F(ReadDumpTest, ThePlaceOfTheBeginningIsWhereTheFirstTransactionBehindItBegins) {
  source_.transactions.push_back({"a"});
  OpenAndSelect();
  tracker_.SetServer(dump_.stream());
  EXPECT_FALSE(tracker_.standing().place);
  ReadTransaction();
  const auto place = tracker_.standing().place;
  ASSERT_TRUE(place);
  EXPECT_EQ(place->offset, dump_.transaction().begin_offset);
  source_.transactions.push_back({"b"});
  ReadTransaction();
  EXPECT_EQ(tracker_.standing().place->offset, place->offset);
}

TEST_F(ReadDumpTest, WhereNothingCameSinceThePlaceOfTheBeginningIsThatOfAHeartbeat) {
  OpenAndSelect();
  tracker_.SetServer(dump_.stream());
  while (!tracker_.standing().place) ASSERT_FALSE(dump_.Read().value());
  EXPECT_EQ(tracker_.standing().place->offset, source_.EndOfLog().offset);
}

TEST_F(ReadDumpTest, AnErrorOfTheSourceIsReturnedWithThePlaceToTell) {
  EXPECT_EQ(dump_.Place(), "");
  source_.open_error = binlog::Error{ErrorKind::kGone, "purged"};
  EXPECT_EQ(dump_.Open().error().kind, ErrorKind::kGone);
  source_.open_error.reset();
  source_.transactions.push_back({"a"});
  OpenAndSelect();
  ReadTransaction();
  source_.fails_after = 0;
  EXPECT_EQ(dump_.Read().error().kind, ErrorKind::kDisconnected);
  EXPECT_THAT(dump_.Place(), testing::StartsWith("binlog.000001:"));
}

TEST_F(ReadDumpTest, AnotherNameOfTheLogIsToldOnceInEachOpening) {
  OpenAndSelect();
  const binlog::LogEnd other{"mysql-bin.000001", 4};
  EXPECT_FALSE(dump_.HasReached(other));
  EXPECT_FALSE(dump_.HasOtherName(other)) << "nothing was read of it yet";
  for (int i = 0; i < 2; ++i) {
    ReadToEnd();
    EXPECT_FALSE(dump_.HasOtherName({"binlog.000009", 4}));
    EXPECT_TRUE(dump_.HasOtherName(other));
    EXPECT_FALSE(dump_.HasOtherName(other));
    dump_.Close();
    ASSERT_TRUE(dump_.Open());
  }
}

TEST_F(ReadDumpTest, ItsSourceIsLetGoBehindTheRowsOfATransactionWithALargeEvent) {
  source_.transactions.push_back(LoggedTransaction{"a"}.PadTo(std::size_t{17} << 20));
  OpenAndSelect();
  ReadTransaction();
  ASSERT_TRUE(dump_.NextRow());
  EXPECT_TRUE(dump_.is_open());
  EXPECT_EQ(dump_.NextRow().value(), nullptr);
  EXPECT_FALSE(dump_.is_open());
  ASSERT_TRUE(dump_.Open());
  EXPECT_EQ(source_.opened_from, GtidsTo(2));
}

}  // namespace
}  // namespace outboxd
