#include "daemon/service/log_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kUuid[] = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

// "NAME=VALUE" as the journal has them.
std::vector<std::string> Listed(const LogFields& fields) {
  std::vector<std::string> texts;
  for (const LogField& field : ListLogFields(fields)) {
    texts.push_back(std::string(field.journal_name) + "=" + field.value);
  }
  return texts;
}

std::vector<std::string> OfPosition(const std::string& position) {
  return Listed({.position = position});
}

TEST(LogRecordTest, OnlyWhatIsKnownIsAField) {
  EXPECT_THAT(Listed({}), IsEmpty());
  EXPECT_THAT(Listed({.table = "shop.outbox"}), ElementsAre("OUTBOXD_TABLE=shop.outbox"));
}

TEST(LogRecordTest, APositionTellsTheGtidOfItsTransaction) {
  const std::string uuid = kUuid;
  EXPECT_THAT(OfPosition(uuid + ":23:4"),
              ElementsAre("OUTBOXD_GTID=" + uuid + ":23", "OUTBOXD_POSITION=" + uuid + ":23:4"));
  EXPECT_THAT(
      OfPosition(uuid + ":tag:7:4.2"),
      ElementsAre("OUTBOXD_GTID=" + uuid + ":tag:7", "OUTBOXD_POSITION=" + uuid + ":tag:7:4.2"));
}

TEST(LogRecordTest, APositionWithoutGtidsTellsNone) {
  EXPECT_THAT(OfPosition("binlog.000007:1234:1"),
              ElementsAre("OUTBOXD_POSITION=binlog.000007:1234:1"));
  EXPECT_THAT(OfPosition("table:shop.outbox:17"),
              ElementsAre("OUTBOXD_POSITION=table:shop.outbox:17"));
}

TEST(LogRecordTest, AnEndTellsItsCodeAndItsKind) {
  EXPECT_THAT(Listed({.notice = EndedWith(ExitCode::kGap), .code = ExitCode::kGap}),
              ElementsAre("MESSAGE_ID=f21af58ff37f4a198e7ce4d6c5488ed0", "OUTBOXD_NOTICE=ended-80",
                          "OUTBOXD_CODE=80"));
}

}  // namespace
}  // namespace outboxd
