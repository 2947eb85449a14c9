#include "daemon/preparation/memory_need.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;

TEST(MemoryNeedTest, GrowsWithWhatIsInFlightAndTwiceWithTheEvent) {
  Config config;
  const std::uint64_t least = MemoryNeed(config, 0);
  EXPECT_EQ(MemoryNeed(config, 10 * kMebibyte), least + 20 * kMebibyte);
  config.delivery.in_flight_bytes_max += 5 * kMebibyte;
  EXPECT_EQ(MemoryNeed(config, 0), least + 5 * kMebibyte);
}

TEST(MemoryNeedTest, AProgramThatPrintsThePasswordTakesMemoryToo) {
  Config config;
  const std::uint64_t without = MemoryNeed(config, 0);
  config.mysql.password_command = {"/usr/local/bin/token"};
  EXPECT_EQ(MemoryNeed(config, 0), without + 128 * kMebibyte);
  config.sink.settings = {{"kafka", "sasl.oauthbearer.token-command", "/usr/local/bin/token"}};
  EXPECT_EQ(MemoryNeed(config, 0), without + 256 * kMebibyte);
}

TEST(MemoryNeedTest, AnEventThatFitsTheLimitNeedsNoMore) {
  const Config config;
  const std::uint64_t limit = 512 * kMebibyte;
  const std::uint64_t event = EventBytesMax(config, limit);
  EXPECT_LE(MemoryNeed(config, event), limit);
  EXPECT_GT(MemoryNeed(config, event + 1), limit);
}

TEST(MemoryNeedTest, WithoutALimitAnEventIsAsLargeAsOneCanBe) {
  EXPECT_EQ(EventBytesMax(Config{}, std::nullopt), 1024 * kMebibyte);
  EXPECT_EQ(EventBytesMax(Config{}, std::uint64_t{1} << 40), 1024 * kMebibyte);
}

TEST(MemoryNeedTest, ALimitThatIsTooLowForAnythingStillLetsSmallEventsPass) {
  EXPECT_EQ(EventBytesMax(Config{}, 1), kMebibyte);
}

TEST(MemoryNeedTest, CheckTellsALimitForTheUnit) {
  const Finding finding = CheckMemory(Config{}, 64 * kMebibyte);
  EXPECT_EQ(finding.level, Finding::Level::kOk);
  EXPECT_THAT(finding.found, HasSubstr("MemoryMax=224M"));
}

}  // namespace
}  // namespace outboxd
