#include "daemon/process/group_notice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/captured_log.h"
#include "tests/daemon/fakes.h"

namespace outboxd {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class GroupNoticeTest : public testing::Test {
 protected:
  void Tell(const std::string& why) {
    notice_.Tell(binlog::Error{binlog::ErrorKind::kDisconnected, why, "join it"});
  }

  FakeClock clock_;
  Outages outages_{clock_};
  GroupNotice notice_{outages_};
};

TEST_F(GroupNoticeTest, WhereNothingIsAmissNothingIsSaid) {
  const CapturedLog log;
  notice_.Tell(std::nullopt);
  EXPECT_THAT(log.text(), IsEmpty());
  EXPECT_FALSE(outages_.cut_off());
}

TEST_F(GroupNoticeTest, TheSameReasonIsLoggedOnce) {
  Tell("it left");
  const CapturedLog log;
  Tell("it left");
  EXPECT_THAT(log.text(), IsEmpty());
  Tell("it was expelled");
  EXPECT_THAT(log.text(), HasSubstr("source: it was expelled HINT: join it\n"));
}

TEST_F(GroupNoticeTest, ItsAgeIsThatOfTheFirstReason) {
  Tell("it left");
  const std::uint64_t begun = clock_.WallMicroseconds();
  clock_.Move(std::chrono::seconds(5));
  Tell("it was expelled");
  EXPECT_EQ(outages_.cut_off(), (Outage{begun, "it was expelled"}));
}

TEST_F(GroupNoticeTest, ThatItIsOverIsToldOnce) {
  Tell("it left");
  const CapturedLog log;
  notice_.Tell(std::nullopt);
  EXPECT_THAT(log.text(), HasSubstr("arrives again"));
  EXPECT_FALSE(outages_.cut_off());
  const CapturedLog later;
  notice_.Tell(std::nullopt);
  EXPECT_THAT(later.text(), IsEmpty());
}

}  // namespace
}  // namespace outboxd
