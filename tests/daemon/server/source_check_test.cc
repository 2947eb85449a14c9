#include "daemon/preparation/source_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/server/event_table.h"

namespace outboxd {
namespace {

using testing::ElementsAre;

class SourceCheckServerTest : public EventTableTest {
 protected:
  // The subjects of the answers, until `most` have come.
  std::vector<std::string> Ask(bool begins_with_tables, std::size_t most = 100) {
    const EventTables tables = CompileEventTables(config_).value();
    auto asked = AskServer(config_.mysql);
    EXPECT_TRUE(asked);
    if (!asked) return {};
    std::vector<std::string> subjects;
    checked_ = CheckSource(config_, tables, begins_with_tables, asked->server, asked->facts,
                           [&](const SourceAnswer& answer) {
                             subjects.emplace_back(answer.subject);
                             if (!answer.findings) subjects.back() += " not answered";
                             return subjects.size() < most;
                           });
    return subjects;
  }

  std::optional<CheckedSource> checked_;
};

TEST_F(SourceCheckServerTest, AsksAboutEachThingThatOthersStandOnFirst) {
  EXPECT_THAT(Ask(false), ElementsAre("mysql", "privileges", "privileges", "other relays",
                                      "event tables", "event tables"));
  ASSERT_TRUE(checked_);
  EXPECT_EQ(checked_->tables.size(), 1U);
  EXPECT_EQ(checked_->read_rows_estimate, 0U);
}

TEST_F(SourceCheckServerTest, WhatOnlyAReadOfTheTablesNeedsIsAskedForThatAlone) {
  EXPECT_THAT(Ask(true),
              ElementsAre("mysql", "privileges", "privileges", "other relays", "event tables",
                          "event tables", "event tables", "event tables"));
  EXPECT_TRUE(checked_);
}

TEST_F(SourceCheckServerTest, WhoSaysNoIsAskedNoMore) {
  EXPECT_THAT(Ask(true, 2), ElementsAre("mysql", "privileges"));
  EXPECT_FALSE(checked_);
}

}  // namespace
}  // namespace outboxd
