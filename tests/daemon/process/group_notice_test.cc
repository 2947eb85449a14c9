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
  notice_.Tell("it left");
  const CapturedLog log;
  notice_.Tell("it left");
  EXPECT_THAT(log.text(), IsEmpty());
  notice_.Tell("it was expelled");
  EXPECT_THAT(log.text(), HasSubstr("source: it was expelled"));
}

TEST_F(GroupNoticeTest, ItsAgeIsThatOfTheFirstReason) {
  notice_.Tell("it left");
  const std::uint64_t begun = clock_.WallMicroseconds();
  clock_.Move(std::chrono::seconds(5));
  notice_.Tell("it was expelled");
  EXPECT_EQ(outages_.cut_off(), (Outage{begun, "it was expelled"}));
}

TEST_F(GroupNoticeTest, ThatItIsOverIsToldOnce) {
  notice_.Tell("it left");
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
