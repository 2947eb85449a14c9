#include "binlog/gtid.h"

#include <gtest/gtest.h>

#include <string>

namespace outboxd::binlog {
namespace {

constexpr std::string_view kUuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

TEST(GtidTest, UuidTextSurvivesTheWayThereAndBack) {
  const auto uuid = ParseUuid(kUuid);
  ASSERT_TRUE(uuid);
  EXPECT_EQ((*uuid)[0], 0x3E);
  EXPECT_EQ((*uuid)[15], 0x62);
  EXPECT_EQ(ToText(*uuid), kUuid);
}

TEST(GtidTest, UuidMayBeInUpperCase) {
  const auto uuid = ParseUuid("3E11FA47-71CA-11E1-9E33-C80AA9429562");
  ASSERT_TRUE(uuid);
  EXPECT_EQ(ToText(*uuid), kUuid);
}

TEST(GtidTest, RejectsWhatIsNoUuid) {
  const std::string uuid(kUuid);
  for (const std::string& text :
       {std::string(), uuid + "0", uuid.substr(1), "g" + uuid.substr(1), std::string(36, '-'),
        std::string(36, 'a'), uuid.substr(0, 34) + "-1"}) {
    const auto parsed = ParseUuid(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kUnsuitable);
  }
}

TEST(GtidTest, TextNamesTheTagBetweenUuidAndNumber) {
  const Uuid uuid = ParseUuid(kUuid).value();
  EXPECT_EQ(ToText(Gtid{{uuid, ""}, 7}), std::string(kUuid) + ":7");
  EXPECT_EQ(ToText(Gtid{{uuid, "batch"}, 7}), std::string(kUuid) + ":batch:7");
}

TEST(GtidTest, TagIsShortLowerCaseAndDoesNotBeginWithADigit) {
  EXPECT_TRUE(IsGtidTag("a"));
  EXPECT_TRUE(IsGtidTag("_tag_1"));
  EXPECT_TRUE(IsGtidTag(std::string(32, 'x')));
  EXPECT_FALSE(IsGtidTag(""));
  EXPECT_FALSE(IsGtidTag("1a"));
  EXPECT_FALSE(IsGtidTag("Tag"));
  EXPECT_FALSE(IsGtidTag("a-b"));
  EXPECT_FALSE(IsGtidTag(std::string(33, 'x')));
}

}  // namespace
}  // namespace outboxd::binlog
