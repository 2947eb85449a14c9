#include "daemon/service/recent_records.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

namespace outboxd {
namespace {

TEST(RecentRecordsTest, KeepsTheLastOnesWithTheirHintsApart) {
  RecentRecords records;
  for (std::size_t i = 0; i < RecentRecords::kMax + 5; ++i) {
    records.Add(i, i % 2 == 0, fmt::format("what {} HINT: do this", i));
  }
  const auto all = records.All();
  ASSERT_EQ(all.size(), RecentRecords::kMax);
  EXPECT_EQ(all.front().at_us, 5u);
  EXPECT_EQ(all.front().text, "what 5");
  EXPECT_EQ(all.front().hint, "do this");
  EXPECT_FALSE(all.front().is_error);
  EXPECT_TRUE(all.back().is_error);
}

TEST(RecentRecordsTest, LongTextsAreCut) {
  RecentRecords records;
  records.Add(1, true, std::string(100'000, 'x'));
  EXPECT_EQ(records.All().front().text.size(), RecentRecords::kTextBytesMax);
}

TEST(RecentRecordsTest, TakesWarningsAndErrorsFromTheLog) {
  const auto former = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>()));
  const auto records = std::make_shared<RecentRecords>();
  KeepRecords(records);
  spdlog::info("no");
  spdlog::warn("a warning");
  spdlog::error("an error");
  spdlog::set_default_logger(former);
  const auto all = records->All();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].text, "a warning");
  EXPECT_TRUE(all[1].is_error);
  EXPECT_GT(all[1].at_us, 1'000'000'000'000'000u);
}

}  // namespace
}  // namespace outboxd
