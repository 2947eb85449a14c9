#include "daemon/config/config_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace outboxd {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A relay with nothing wrong, which takes the lines 1 and 2, and what a test changes of it.
class ConfigCheckTest : public testing::Test {
 protected:
  ConfigCheckTest() {
    Set("relay", "name", "shop");
    AddTable("outbox", "shop.outbox");
  }

  // In the next line of the file.
  void Set(const std::string& section, const std::string& key, const std::string& value) {
    settings_.all.push_back({section, key, value, ++lines_});
  }
  OutboxConfig& Outbox(const std::string& section) {
    const auto found = std::ranges::find(config_.outboxes, section, &OutboxConfig::section);
    if (found != config_.outboxes.end()) return *found;
    config_.outboxes.emplace_back().section = section;
    return config_.outboxes.back();
  }
  void AddTable(const std::string& section, const std::string& table) {
    Set(section, "table", table);
    Outbox(section).tables.push_back(table);
  }
  void SetDeadLetterTopic(const std::string& topic) {
    Set("delivery", "dead-letter-topic", topic);
    config_.delivery.dead_letter_topic = topic;
  }
  [[nodiscard]] std::string Wrong() const {
    Complaints complaints("c.conf");
    CheckConfig(config_, settings_, complaints);
    return complaints.empty() ? "" : complaints.All().ToText();
  }

  Config config_;
  Settings settings_;
  int lines_ = 0;
};

TEST_F(ConfigCheckTest, ANameAndATableAreEnough) { EXPECT_EQ(Wrong(), ""); }

TEST_F(ConfigCheckTest, ANameAndATableAreNeeded) {
  config_ = {};
  settings_ = {};
  EXPECT_EQ(Wrong(),
            "c.conf: relay.name: is missing HINT: add name = NAME to [relay], letters, digits, - "
            "and _\n"
            "c.conf: outbox.table: is missing HINT: name the event table in [outbox], for example "
            "table = shop.outbox");
}

TEST_F(ConfigCheckTest, EveryFamilyNeedsATableOfItsOwn) {
  Outbox("outbox.eu");
  EXPECT_EQ(Wrong(),
            "c.conf: outbox.eu.table: is missing HINT: name the event table, for example "
            "table = shop.outbox");
}

TEST_F(ConfigCheckTest, AServerIsReachedByHostOrBySocket) {
  Set("mysql", "socket", "/s");
  EXPECT_EQ(Wrong(), "");
  Set("mysql", "host", "a");
  EXPECT_EQ(Wrong(), "c.conf:3: mysql.socket: excludes mysql.host HINT: remove one of the two");
}

TEST_F(ConfigCheckTest, AnAuthorityIsNeededToVerifyACertificate) {
  Set("mysql", "tls", "verify");
  for (const TlsChoice tls : {TlsChoice::kVerifyCa, TlsChoice::kVerifyIdentity}) {
    config_.mysql.tls = tls;
    EXPECT_EQ(Wrong(),
              "c.conf:3: mysql.tls: needs mysql.tls-ca HINT: add tls-ca = FILE with the "
              "authority's certificate");
  }
  Set("mysql", "tls-ca", "/ca");
  EXPECT_EQ(Wrong(), "");
}

TEST_F(ConfigCheckTest, ACertificateAndItsKeyGoTogether) {
  Set("mysql", "tls-key", "/k");
  EXPECT_EQ(Wrong(), "c.conf:3: mysql.tls-key: mysql.tls-cert and mysql.tls-key go together");
  settings_.all.back().key = "tls-cert";
  EXPECT_EQ(Wrong(), "c.conf:3: mysql.tls-cert: mysql.tls-cert and mysql.tls-key go together");
  Set("mysql", "tls-key", "/k");
  EXPECT_EQ(Wrong(), "");
}

TEST_F(ConfigCheckTest, DeadLettersNeedATopic) {
  Set("delivery", "on-bad-event", "dead-letter");
  config_.delivery.on_bad_event = DeliveryConfig::OnBadEvent::kDeadLetter;
  EXPECT_EQ(Wrong(),
            "c.conf:3: delivery.on-bad-event: dead-letter needs delivery.dead-letter-topic HINT: "
            "add dead-letter-topic = TOPIC");
  SetDeadLetterTopic("dead");
  EXPECT_EQ(Wrong(), "");
}

TEST_F(ConfigCheckTest, TheTopicOfDeadLettersIsOneThatTheSinkTakes) {
  SetDeadLetterTopic("__dead");
  EXPECT_THAT(Wrong(), StartsWith("c.conf:3: delivery.dead-letter-topic: "));
  EXPECT_THAT(Wrong(), HasSubstr("internal to Kafka"));
}

TEST_F(ConfigCheckTest, NoEventGoesToTheTopicOfDeadLettersByItself) {
  SetDeadLetterTopic("outbox.event.dead");
  EXPECT_EQ(Wrong(),
            "c.conf:3: delivery.dead-letter-topic: outbox.topic = outbox.event.{aggregatetype} "
            "lets events go there too HINT: choose another topic, or name those of events in "
            "topics.allow");
  config_.topics.allow = {"outbox.event.x"};
  EXPECT_EQ(Wrong(), "");
  config_.topics.allow.push_back("outbox.*");
  EXPECT_EQ(Wrong(),
            "c.conf:3: delivery.dead-letter-topic: topics.allow = outbox.* lets events go there "
            "too HINT: choose another topic");
}

TEST_F(ConfigCheckTest, ATopicThatOnlyTheRowTellsIsNotHeldAgainstThatOfDeadLetters) {
  SetDeadLetterTopic("outbox.event.dead");
  Outbox("outbox").topic_regex = "(.*)";
  Outbox("outbox").topic_replacement = "outbox.event.dead";
  EXPECT_EQ(Wrong(), "");
  Outbox("outbox").topic_regex = "";
  Outbox("outbox").topic_replacement = "";
  Outbox("outbox").topic = "{aggregatetype}";
  EXPECT_EQ(Wrong(), "");
}

TEST_F(ConfigCheckTest, AMistakeOfTheMappingHasItsLine) {
  Set("outbox", "topic", "a.{b");
  Outbox("outbox").topic = "a.{b";
  EXPECT_THAT(Wrong(), StartsWith("c.conf:3: outbox.topic: there is no '}' before its end"));
  settings_.all.back().line = Setting::kCommandLine;
  EXPECT_THAT(Wrong(), StartsWith("--outbox.topic: there is no '}' before its end"));
  settings_.all.pop_back();
  EXPECT_THAT(Wrong(), StartsWith("c.conf: outbox.topic: there is no '}' before its end"));
}

TEST_F(ConfigCheckTest, NoTableBelongsToTwoFamilies) {
  AddTable("outbox.eu", "eu.outbox");
  AddTable("outbox.eu", "shop.*");
  EXPECT_EQ(Wrong(),
            "c.conf:4: outbox.eu.table: a table can fit both 'shop.*' and 'shop.outbox' of "
            "outbox.table HINT: narrow one of the two, so that each table belongs to one of them");
}

TEST_F(ConfigCheckTest, ATableThatStandsAlreadyIsNamed) {
  AddTable("outbox.eu", "shop.outbox");
  EXPECT_EQ(Wrong(),
            "c.conf:3: outbox.eu.table: 'shop.outbox' stands in outbox.table already HINT: remove "
            "one of the two");
}

TEST_F(ConfigCheckTest, NoTableOfAFamilyFitsTwoOfItsPatterns) {
  AddTable("outbox", "?hop.out*");
  EXPECT_THAT(Wrong(), StartsWith("c.conf:3: outbox.table: a table can fit both '?hop.out*' and "
                                  "'shop.outbox' of outbox.table"));
  AddTable("outbox", "shop.outbox");
  EXPECT_THAT(Wrong(), HasSubstr("c.conf:4: outbox.table: 'shop.outbox' stands in outbox.table"));
}

TEST_F(ConfigCheckTest, SchemaAndTableAreComparedEachForItself) {
  AddTable("outbox.eu", "eu.outbox");
  AddTable("outbox.eu", "shop.events");
  AddTable("outbox.eu", "*.x*");
  AddTable("outbox.eu", "tenant_*.outbox2");
  EXPECT_EQ(Wrong(), "");
}

}  // namespace
}  // namespace outboxd
