#include "daemon/preparation/message_age.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kWeek = 7 * 24 * 3600 * 1000;

// One family of event tables, what Kafka says of its topics, and how many rows are old.
class MessageAgeTest : public testing::Test {
 protected:
  MessageAgeTest() {
    outbox_.section = "outbox";
    outbox_.tables = {"shop.outbox"};
    outbox_.topic = "orders";
    outbox_.timestamp = "created_at";
    HasTopic("orders", kWeek);
  }

  // A negative age: it keeps messages for ever.
  void HasTopic(const std::string& name, std::int64_t age_ms) {
    topics_[name] = sinks::AgeLimit{.age = std::chrono::milliseconds(age_ms),
                                    .setting = fmt::format("retention.ms = {}", age_ms),
                                    .remedy = "configure " + name};
    if (age_ms < 0) topics_[name].reset();
  }

  std::vector<std::string> Told() {
    Config config = config_;
    config.outboxes = {outbox_};
    binlog::TableFacts table;
    table.schema_name = "shop";
    table.table_name = "outbox";
    table.columns = {{.name = "id", .type = "int"}, {.name = "created_at", .type = "datetime"}};
    std::vector<std::string> told;
    for (const Finding& finding :
         CheckMessageAges(config, CompileEventTables(config).value(), {{0, table}}, Questions())) {
      EXPECT_EQ(finding.level, Finding::Level::kWarning);
      told.push_back(fmt::format("{}: {} -> {}", finding.subject, finding.found, finding.remedy));
    }
    return told;
  }

  Config config_;
  OutboxConfig outbox_;
  std::map<std::string, std::optional<sinks::AgeLimit>> topics_;
  std::optional<std::uint64_t> old_rows_ = 3;
  std::vector<std::int64_t> ages_asked_;

 private:
  AgeQuestions Questions() {
    return {.topics = [this]() -> sinks::Result<std::vector<std::string>> {
              std::vector<std::string> names;
              for (const auto& [name, facts] : topics_) names.push_back(name);
              return names;
            },
            .age_limit =
                [this](const std::string& name) -> sinks::Result<std::optional<sinks::AgeLimit>> {
              const auto topic = topics_.find(name);
              if (topic != topics_.end()) return topic->second;
              return Fail(sinks::ErrorKind::kRejected, "topic {} does not exist yet", name);
            },
            .count_older = [this](const binlog::TableFacts&, std::string_view,
                                  std::chrono::milliseconds age,
                                  std::uint64_t) -> binlog::Result<std::optional<std::uint64_t>> {
              ages_asked_.push_back(age.count());
              return old_rows_;
            }};
  }
};

TEST_F(MessageAgeTest, CountsTheRowsThatATopicDoesNotKeepAndSaysWhatToSet) {
  EXPECT_THAT(
      Told(),
      ElementsAre("shop.outbox: 3 rows are older, by 'created_at', than topic orders keeps messages"
                  " (retention.ms = 604800000, 7 d): Kafka may delete them as soon as they are"
                  " published -> configure orders, or 'timestamp =' in [outbox]: a message then has"
                  " the time of its sending"));
  EXPECT_THAT(ages_asked_, ElementsAre(kWeek));
}

TEST_F(MessageAgeTest, WithoutOldRowsThereIsNothingToTell) {
  old_rows_ = 0;
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(MessageAgeTest, TheTimeOfSendingIsNeverOld) {
  outbox_.timestamp.clear();
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(MessageAgeTest, ATopicThatKeepsAllAgesTakesAnyRow) {
  HasTopic("orders", -1);
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_THAT(ages_asked_, IsEmpty());
}

TEST_F(MessageAgeTest, WarnsOfATopicThatRefusesOldMessages) {
  HasTopic("orders", 3'600'000);
  topics_["orders"]->is_refused = true;
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("than topic orders takes messages (retention.ms ="
                                            " 3600000, 1 h): Kafka refuses them")));
}

TEST_F(MessageAgeTest, OfTheTopicsThatARowMayNameTheOneThatForgetsFirstCounts) {
  outbox_.topic = "shop.{aggregatetype}";
  HasTopic("shop.a", kWeek);
  HasTopic("shop.b", 60'000);
  HasTopic("shop.c", -1);
  HasTopic("shop.dead", 1);
  HasTopic("stock", 1);
  config_.delivery.dead_letter_topic = "shop.dead";
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("than topic shop.b keeps messages (retention.ms ="
                                            " 60000, 60000 ms), and may go there: Kafka may")));
  config_.topics.allow = {"shop.a", "shop.c"};
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("than topic shop.a keeps")));
}

TEST_F(MessageAgeTest, OneRowIsToldAsOne) {
  old_rows_ = 1;
  EXPECT_THAT(Told(), ElementsAre(HasSubstr(": 1 row is older, by")));
}

TEST_F(MessageAgeTest, CountsNoFurtherThanItHasTo) {
  old_rows_ = 1'000'000;
  EXPECT_THAT(Told(), ElementsAre(HasSubstr(": at least 1000000 rows are older")));
}

TEST_F(MessageAgeTest, SaysSoWhereItCannotBeKnown) {
  const auto unknown = [this](std::string_view why) {
    EXPECT_THAT(Told(), ElementsAre(testing::AllOf(
                            testing::StartsWith("shop.outbox: whether topics keep messages"),
                            HasSubstr(fmt::format("is not known: {} -> see that", why)))));
  };
  old_rows_.reset();
  unknown(
      "topic orders has retention.ms = 604800000, and the server did not count the older rows"
      " by 'created_at' in time");
  outbox_.timestamp = "created_at | updated_at";
  unknown(
      "topic orders has retention.ms = 604800000, and 'created_at | updated_at' is no plain"
      " column");
  topics_.clear();
  unknown("topic orders does not exist yet");
  outbox_.topic = "shop.{aggregatetype}";
  unknown("no topic fits shop.* yet");
}

}  // namespace
}  // namespace outboxd
