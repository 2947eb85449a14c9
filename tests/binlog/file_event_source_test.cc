#include "binlog/file_event_source.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "binlog/transaction_reader.h"
#include "tests/binlog/event_bytes.h"
#include "tests/binlog/fixture_log.h"
#include "tests/binlog/heap.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd::binlog {
namespace {

constexpr std::string_view kMagic =
    "\xFE"
    "bin";

std::string Log(const std::vector<std::vector<std::uint8_t>>& events) {
  std::string log(kMagic);
  for (const auto& event : events) log += AsText(event);
  return log;
}

class FileEventSourceTest : public testing::Test {
 protected:
  void Write(const std::string& content) { directory_.Write("log", content); }
  std::optional<ErrorKind> ErrorOfOpen() {
    const auto opened = source_.Open({}, {});
    text_ = opened ? "" : opened.error().ToText();
    return opened ? std::nullopt : std::optional(opened.error().kind);
  }
  std::optional<ErrorKind> ErrorOfNext() {
    const auto event = source_.Next();
    text_ = event ? "" : event.error().ToText();
    return event ? std::nullopt : std::optional(event.error().kind);
  }

  TemporaryDirectory directory_;
  FileEventSource source_{directory_ / "log"};
  std::string text_;
  const std::vector<std::uint8_t> first_ =
      MakeEvent(EventType::kXid, EventBytes().Little(1, 8), 31);
  const std::vector<std::uint8_t> second_ =
      MakeEvent(EventType::kRowsQuery, EventBytes().Text(std::string(100'000, 'x')), 100'050);
};

TEST_F(FileEventSourceTest, GivesEveryEventAndThenTheEnd) {
  Write(Log({first_, second_}));
  const auto identity = source_.Open({.gtids = {}, .file = "another", .offset = 1000}, {});
  ASSERT_TRUE(identity);
  EXPECT_FALSE(identity->by_gtid);
  EXPECT_FALSE(identity->has_checksums);
  for (const auto& expected : {first_, second_}) {
    const auto event = source_.Next();
    ASSERT_TRUE(event) << event.error().ToText();
    EXPECT_EQ(AsText(*event), AsText(expected));
  }
  EXPECT_EQ(ErrorOfNext(), ErrorKind::kEnd);
  EXPECT_EQ(ErrorOfNext(), ErrorKind::kEnd);
}

TEST_F(FileEventSourceTest, OpenedAgainItBeginsAgain) {
  Write(Log({first_}));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(source_.Open({}, {}));
    EXPECT_TRUE(source_.Next());
    EXPECT_EQ(ErrorOfNext(), ErrorKind::kEnd);
  }
}

TEST_F(FileEventSourceTest, AFileWithoutEventsEndsAtOnce) {
  Write(std::string(kMagic));
  ASSERT_TRUE(source_.Open({}, {}));
  EXPECT_EQ(ErrorOfNext(), ErrorKind::kEnd);
}

TEST_F(FileEventSourceTest, IsDisconnectedUnlessItIsOpen) {
  EXPECT_EQ(ErrorOfNext(), ErrorKind::kDisconnected);
  Write(Log({first_}));
  ASSERT_TRUE(source_.Open({}, {}));
  source_.Close();
  EXPECT_EQ(ErrorOfNext(), ErrorKind::kDisconnected);
}

TEST_F(FileEventSourceTest, SaysWhyAFileCannotBeOpened) {
  EXPECT_EQ(ErrorOfOpen(), ErrorKind::kUnsuitable);
  EXPECT_NE(text_.find("No such file"), std::string::npos);
  EXPECT_NE(text_.find(directory_ / "log"), std::string::npos);
}

TEST_F(FileEventSourceTest, RefusesWhatIsNoBinaryLog) {
  for (const std::string& content : {std::string(), std::string(kMagic.substr(0, 3)),
                                     std::string("PK\3\4 and more"), std::string(100, '\0')}) {
    Write(content);
    EXPECT_EQ(ErrorOfOpen(), ErrorKind::kUnsuitable);
    EXPECT_NE(text_.find("not a binary log"), std::string::npos) << text_;
  }
  FileEventSource folder(directory_.path());
  EXPECT_FALSE(folder.Open({}, {}));
}

TEST_F(FileEventSourceTest, TellsHowAnEncryptedLogIsRead) {
  Write(
      "\xFD"
      "bin" +
      std::string(600, 'x'));
  EXPECT_EQ(ErrorOfOpen(), ErrorKind::kUnsuitable);
  EXPECT_NE(text_.find("encrypted HINT: "), std::string::npos) << text_;
}

TEST_F(FileEventSourceTest, ALogOfBeforeMysql5NamesItsVersion) {
  // MySQL 4.1: a header of 19 bytes; MySQL 3.23: one of 13.
  EventBytes start;
  start.Little(0, 4).Little(1, 1).Little(1, 4).Little(75, 4).Little(4, 4).Little(0, 2);
  start.Little(3, 2).Text("4.1.22-log").Little(0, 40).Little(0, 4).Little(0, 19);
  EventBytes short_start;
  short_start.Little(0, 4).Little(1, 1).Little(1, 4).Little(69, 4);
  short_start.Little(1, 2).Text("3.23.58").Little(0, 43).Little(0, 4);
  const std::pair<EventBytes, const char*> logs[] = {{start, "server 4.1.22-log, in format 3"},
                                                     {short_start, "server 3.23.58, in format 1"}};
  for (const auto& [log, version] : logs) {
    Write(Log({log.bytes()}));
    EXPECT_EQ(ErrorOfOpen(), ErrorKind::kUnsuitable);
    EXPECT_NE(text_.find(version), std::string::npos) << text_;
  }
}

TEST_F(FileEventSourceTest, AFileCutOffWithinAnEventIsCorrupt) {
  const std::string whole = Log({first_, first_});
  const std::size_t begin = kMagic.size() + first_.size();
  for (std::size_t size = begin + 1; size < whole.size(); ++size) {
    Write(whole.substr(0, size));
    ASSERT_TRUE(source_.Open({}, {}));
    ASSERT_TRUE(source_.Next());
    EXPECT_EQ(ErrorOfNext(), ErrorKind::kCorrupt) << size;
    EXPECT_NE(text_.find("at offset " + std::to_string(begin)), std::string::npos) << text_;
  }
}

TEST_F(FileEventSourceTest, ALengthThatIsALieIsCorruptBeforeItIsAllocated) {
  const std::size_t before = AllocatedBytes();
  for (const std::uint64_t length : {0u, 18u, 28u, 0x3FFF'FFFFu, 0xFFFF'FFFFu}) {
    std::string log = Log({first_});
    for (std::size_t i = 0; i < 4; ++i) log[4 + 9 + i] = static_cast<char>(length >> (8 * i));
    Write(log);
    ASSERT_TRUE(source_.Open({}, {}));
    EXPECT_EQ(ErrorOfNext(), ErrorKind::kCorrupt) << length;
  }
  EXPECT_LT(AllocatedBytes(), before + 100'000);
}

TEST_F(FileEventSourceTest, AServersLogIsReadToItsEnd) {
  Write(ReadFixture("values.binlog.gz"));
  const TableFilter filter({{"*", "*", {}, {}}});
  TransactionReader transactions(filter, {.spill_directory = directory_.path()});
  const auto identity = source_.Open({}, {});
  ASSERT_TRUE(identity);
  transactions.Reset(*identity, {});
  std::size_t with_rows = 0;
  auto event = source_.Next();
  for (; event; event = source_.Next()) {
    const auto outcome = transactions.Feed(*event);
    ASSERT_TRUE(outcome) << outcome.error().message;
    if (outcome == TransactionReader::Outcome::kTransaction) {
      with_rows += transactions.transaction().has_rows ? 1u : 0u;
    }
  }
  EXPECT_EQ(event.error().kind, ErrorKind::kEnd);
  EXPECT_GT(with_rows, 5u);
}

}  // namespace
}  // namespace outboxd::binlog
