#include "daemon/checkpoint/checkpoint_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/checkpoint/failing_files.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

constexpr char kUuid[] = "9c3a6f2e-1d4b-11f0-8a5e-0242ac120002";

Checkpoint MakeCheckpoint(std::uint64_t offset) {
  Checkpoint checkpoint;
  checkpoint.relay = "shop";
  checkpoint.server_uuid = kUuid;
  checkpoint.sink = "4L6g3nShT-eMCtK--X86sw";
  checkpoint.tables = {"shop.outbox", "tenant_*.outbox"};
  checkpoint.position.gtids =
      binlog::GtidSet::Parse(std::string(kUuid) + ":1-5:7:blue:1-3").value();
  checkpoint.position.file = "binlog.000007";
  checkpoint.position.offset = offset;
  checkpoint.last_commit_us = 1'760'000'000'123'456;
  checkpoint.last_gtid = std::string(kUuid) + ":7";
  checkpoint.read =
      InitialRead{{{"shop", "outbox", false, {{"id", "binary(2)", std::string("\x00\xff", 2)}}, 12},
                   {"shop", "other", true, {}, 3}},
                  1'700'000'000'000'000};
  checkpoint.prepared = {"X'61',X'',1", "X'62',X'',1"};
  checkpoint.held_xa = {{"X'63',X'',1", "binlog.000007:200", 1'700'000'000'000'000}};
  checkpoint.written_at_us = 18'446'744'073'709'551'615u;
  return checkpoint;
}

class CheckpointFileTest : public testing::Test {
 protected:
  Result<std::optional<Checkpoint>> Load() {
    return CheckpointFile(directory_.path(), "shop").Load();
  }
  // Loads what `contents` makes of a checkpoint file; it has to be refused.
  std::string Refusal(const std::string& contents) {
    directory_.Write("checkpoint", contents);
    const auto loaded = Load();
    EXPECT_FALSE(loaded.has_value()) << contents;
    if (loaded) return "";
    EXPECT_EQ(loaded.error().kind, ExitCode::kCheckpoint);
    EXPECT_THAT(
        loaded.error().ToText(),
        AllOf(HasSubstr(directory_ / "checkpoint"), HasSubstr(" HINT: "),
              HasSubstr("outboxd position set"),
              AnyOf(HasSubstr("outboxd position show"), HasSubstr("docs/choosing-a-place.md"))));
    return loaded.error().message;
  }
  std::string StoredText() {
    EXPECT_TRUE(CheckpointFile(directory_.path(), "shop").Store(MakeCheckpoint(4)));
    return directory_.Read("checkpoint");
  }

  TemporaryDirectory directory_;
};

TEST_F(CheckpointFileTest, LoadsNothingWhereThereNeverWasOne) {
  const auto loaded = Load();
  ASSERT_TRUE(loaded.has_value());
  EXPECT_FALSE(loaded->has_value());
}

TEST_F(CheckpointFileTest, LoadsWhatWasStoredLast) {
  CheckpointFile file(directory_.path(), "shop");
  ASSERT_TRUE(file.Store(MakeCheckpoint(157)));
  ASSERT_TRUE(file.Store(MakeCheckpoint(0xFFFF'FFFF'FFFF)));
  const auto loaded = Load();
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(*loaded, MakeCheckpoint(0xFFFF'FFFF'FFFF));
}

TEST_F(CheckpointFileTest, HasTheFormThatItsHeaderDescribes) {
  EXPECT_THAT(StoredText(), testing::MatchesRegex("outboxd-checkpoint 2\n"
                                                  "\\{\"relay\":\"shop\",.*\\}\n"
                                                  "crc32 [0-9a-f]{8}\n"));
}

// A program that does not know of parts would publish this one again.
TEST_F(CheckpointFileTest, HasAFormatOfItsOwnWithAPartOfATransaction) {
  Checkpoint stored = MakeCheckpoint(4);
  stored.part = {.place = "binlog.000001:157", .commit_us = 5, .rows = 6, .counting = 7};
  ASSERT_TRUE(CheckpointFile(directory_.path(), "shop").Store(stored));
  EXPECT_THAT(directory_.Read("checkpoint"), testing::StartsWith("outboxd-checkpoint 3\n"));
  const auto loaded = Load();
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(*loaded, stored);
}

TEST_F(CheckpointFileTest, TellsWhenWhatItFoundMayNotSurviveTheMachine) {
  StoredText();
  FailingFiles files("fsync", 0, EIO);
  CheckpointFile file(directory_.path(), "shop", files);
  ASSERT_TRUE(file.Load());
  const auto settled = file.Settle();
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().kind, ExitCode::kState);
  EXPECT_TRUE(file.Settle());
}

TEST_F(CheckpointFileTest, RefusesATornFileWhereverItEnds) {
  const std::string whole = StoredText();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) Refusal(whole.substr(0, bytes));
  Refusal(whole + "x");
}

TEST_F(CheckpointFileTest, RefusesEveryFlippedByte) {
  const std::string whole = StoredText();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x04);
    Refusal(flipped);
  }
}

TEST_F(CheckpointFileTest, RefusesANewerFormat) {
  EXPECT_THAT(Refusal("outboxd-checkpoint 4\nwhatever\n"),
              HasSubstr("has format 4, this outboxd knows 3"));
}

TEST_F(CheckpointFileTest, RefusesAnotherRelays) {
  Checkpoint other = MakeCheckpoint(4);
  other.relay = "billing";
  ASSERT_TRUE(CheckpointFile(directory_.path(), "billing").Store(other));
  EXPECT_THAT(Refusal(directory_.Read("checkpoint")), HasSubstr("'billing', not of 'shop'"));
}

TEST_F(CheckpointFileTest, RefusesGoodCrcOverWrongMembers) {
  const auto sealed = [](const std::string& json) {
    // CRC-32 of the two lines, calculated by Python's zlib.crc32.
    return "outboxd-checkpoint 1\n" + json + "\n";
  };
  EXPECT_THAT(Refusal(sealed("{}") + "crc32 9d0de056\n"), HasSubstr("'relay' not found"));
}

TEST_F(CheckpointFileTest, LoadsOneOfAVersionThatKnewNoPreparedTransactions) {
  const std::string old =
      "outboxd-checkpoint 1\n"
      R"({"relay":"shop","server_uuid":"u","sink":"s","tables":["shop.outbox"],)"
      R"("position":{"gtids":"","file":"binlog.000007","offset":157},"last_commit_us":1,)"
      R"("last_gtid":"","table_read_pending":false,"written_at_us":2})"
      "\ncrc32 99584996\n";  // By Python's zlib.crc32.
  directory_.Write("checkpoint", old);
  const auto loaded = Load();
  ASSERT_TRUE(loaded && *loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->position.offset, 157u);
  EXPECT_TRUE((*loaded)->prepared.empty());
}

TEST_F(CheckpointFileTest, AReadThatAFormerVersionBeganBeginsAnew) {
  const std::string old =
      "outboxd-checkpoint 1\n"
      R"({"relay":"shop","server_uuid":"u","sink":"s","tables":["shop.outbox"],)"
      R"("position":{"gtids":"","file":"binlog.000007","offset":157},"last_commit_us":1,)"
      R"("last_gtid":"","table_read_pending":true,"written_at_us":2})"
      "\ncrc32 b36c33d1\n";  // By Python's zlib.crc32.
  directory_.Write("checkpoint", old);
  const auto loaded = Load();
  ASSERT_TRUE(loaded && *loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->read, InitialRead{});
}

TEST_F(CheckpointFileTest, TheFormerFormatIsWrittenWhereNoReadIsUnderWay) {
  Checkpoint checkpoint = MakeCheckpoint(4);
  ASSERT_TRUE(CheckpointFile(directory_.path(), "shop").Store(checkpoint));
  EXPECT_THAT(directory_.Read("checkpoint"), testing::StartsWith("outboxd-checkpoint 2\n"));
  checkpoint.read.reset();
  ASSERT_TRUE(CheckpointFile(directory_.path(), "shop").Store(checkpoint));
  EXPECT_THAT(directory_.Read("checkpoint"),
              AllOf(testing::StartsWith("outboxd-checkpoint 1\n"),
                    HasSubstr(R"("table_read_pending":false,"prepared")")));
  EXPECT_EQ(Load(), checkpoint);
}

TEST_F(CheckpointFileTest, AnUnreadableFileIsTheDirectorysFault) {
  StoredText();
  FailingFiles files("open", 0, EACCES);
  const auto loaded = CheckpointFile(directory_.path(), "shop", files).Load();
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().kind, ExitCode::kState);
  EXPECT_THAT(loaded.error().message, HasSubstr("checkpoint: open failed: Permission denied"));
}

struct Failure {
  const char* call;
  int at;
  int error;
};

class FailingStoreTest : public CheckpointFileTest, public testing::WithParamInterface<Failure> {};

TEST_P(FailingStoreTest, KeepsTheEarlierCheckpointAndRecoversWithTheNext) {
  ASSERT_TRUE(CheckpointFile(directory_.path(), "shop").Store(MakeCheckpoint(4)));
  FailingFiles files(GetParam().call, GetParam().at, GetParam().error);
  CheckpointFile failing(directory_.path(), "shop", files);
  const auto stored = failing.Store(MakeCheckpoint(5));
  ASSERT_FALSE(stored.has_value());
  EXPECT_EQ(stored.error().kind, ExitCode::kState);
  EXPECT_EQ(Load(), MakeCheckpoint(4));
  EXPECT_THAT(directory_.Names(), testing::ElementsAre("checkpoint"));
  ASSERT_TRUE(failing.Store(MakeCheckpoint(6)));
  EXPECT_EQ(Load(), MakeCheckpoint(6));
}

INSTANTIATE_TEST_SUITE_P(EachStep, FailingStoreTest,
                         testing::Values(Failure{"open", 0, EMFILE}, Failure{"write", 0, ENOSPC},
                                         Failure{"fsync", 0, EIO}, Failure{"close", 0, EIO},
                                         Failure{"rename", 0, EACCES}),
                         [](const auto& tested) { return std::string(tested.param.call); });

TEST_F(CheckpointFileTest, AFailedDirectorySyncLeavesAWholeCheckpoint) {
  ASSERT_TRUE(CheckpointFile(directory_.path(), "shop").Store(MakeCheckpoint(4)));
  FailingFiles files("fsync", 1, EIO);
  EXPECT_FALSE(CheckpointFile(directory_.path(), "shop", files).Store(MakeCheckpoint(5)));
  EXPECT_EQ(Load(), MakeCheckpoint(5));
}

TEST_F(CheckpointFileTest, ADirectoryThatIsMissingIsNamed) {
  const auto stored = CheckpointFile(directory_ / "gone", "shop").Store(MakeCheckpoint(4));
  ASSERT_FALSE(stored.has_value());
  EXPECT_THAT(stored.error().message,
              HasSubstr("gone/checkpoint.new: open failed: No such file or directory"));
}

}  // namespace
}  // namespace outboxd
