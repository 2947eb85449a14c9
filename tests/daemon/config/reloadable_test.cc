#include "daemon/config/reloadable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "daemon/config/config_reader.h"

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kFile = R"([relay]
name = shop
[mysql]
host = db1
user = relay
password-file = /etc/outboxd/shop.password
tls-ca = /etc/outboxd/ca.pem
[outbox.orders]
table = shop.orders
[outbox.mails]
table = shop.mails
[kafka]
bootstrap.servers = kafka:9092
linger.ms = 5
security.protocol = sasl_ssl
sasl.username = relay
sasl.password-file = /etc/outboxd/kafka.password
[topics]
create = no
[delivery]
start = now
max-rate = 1000
)";

// The file with one line in place of another.
Config With(std::string_view line, std::string_view other) {
  std::string text(kFile);
  if (!line.empty()) text.replace(text.find(line), line.size(), other);
  auto config = ReadConfigText(text, "shop.conf");
  EXPECT_TRUE(config) << config.error().message;
  return *std::move(config);
}

class ReloadableTest : public testing::Test {
 protected:
  static std::vector<std::string> Changes(std::string_view line, std::string_view other) {
    return ReloadableChanges(With("", ""), With(line, other));
  }
  static std::vector<std::string> Restarts(std::string_view line, std::string_view other) {
    return ChangesForRestart(With("", ""), With(line, other));
  }
};

TEST_F(ReloadableTest, OfTheSameFileNothingHasChanged) {
  EXPECT_THAT(Changes("", ""), IsEmpty());
  EXPECT_THAT(Restarts("", ""), IsEmpty());
}

TEST_F(ReloadableTest, AnotherWayToWriteTheSameIsNoChange) {
  EXPECT_THAT(Restarts("[topics]", "[checkpoint]\ninterval = 1s\n[topics]"), IsEmpty());
  EXPECT_THAT(Restarts("host = db1", "host = db1\nport = 3306"), IsEmpty());
}

TEST_F(ReloadableTest, CredentialsRateAndLogLevelMayChange) {
  struct Case {
    std::string_view line, other, key;
  };
  for (const auto& [line, other, key] : std::initializer_list<Case>{
           {"[relay]", "[log]\nlevel = debug\n[relay]", "log.level"},
           {"max-rate = 1000", "max-rate = 2000", "delivery.max-rate"},
           {"max-rate = 1000", "", "delivery.max-rate"},
           {"user = relay\npass", "user = other\npass", "mysql.user"},
           {"shop.password", "new.password", "mysql.password-file"},
           {"ca.pem", "new.pem", "mysql.tls-ca"},
           {"host = db1", "host = db1\ntls-cert = a.pem\ntls-key = b.pem", "mysql.tls-cert"},
           {"sasl.username = relay", "sasl.username = other", "kafka.sasl.username"},
           {"kafka.password", "new.password", "kafka.sasl.password-file"},
           {"linger.ms = 5", "linger.ms = 5\nssl.ca.location = a.pem", "kafka.ssl.ca.location"},
       }) {
    EXPECT_THAT(Changes(line, other), testing::Contains(std::string(key))) << other;
    EXPECT_THAT(Restarts(line, other), IsEmpty()) << other;
  }
}

TEST_F(ReloadableTest, WhateverElseChangesIsNamedByItsSection) {
  struct Case {
    std::string_view line, other, section;
  };
  for (const auto& [line, other, section] : std::initializer_list<Case>{
           {"host = db1", "host = db2", "[mysql]"},
           {"host = db1", "host = db1\ntls = verify-ca", "[mysql]"},
           {"name = shop", "name = shop\nstop-timeout = 5s", "[relay]"},
           {"linger.ms = 5", "linger.ms = 6", "[kafka]"},
           {"linger.ms = 5", "", "[kafka]"},
           {"kafka:9092", "other:9092", "[kafka]"},
           {"create = no", "create = yes", "[topics]"},
           {"create = no", "allow = shop.*", "[topics]"},
           {"start = now", "start = earliest", "[delivery]"},
           {"[topics]", "[checkpoint]\ninterval = 2s\n[topics]", "[checkpoint]"},
           {"[topics]", "[log]\nformat = json\n[topics]", "[log]"},
           {"table = shop.mails", "table = shop.mails\nkey = id", "[outbox.mails]"},
       }) {
    EXPECT_THAT(Restarts(line, other), testing::Contains(std::string(section))) << other;
  }
}

TEST_F(ReloadableTest, AProgramWhereThereWasNoneNeedsARestart) {
  EXPECT_THAT(Restarts("password-file = /etc/outboxd/shop.password",
                       "password-command = /usr/local/bin/token"),
              ElementsAre("[mysql]"));
  EXPECT_THAT(
      Restarts("sasl.username = relay", "sasl.oauthbearer.token-command = /usr/local/bin/token"),
      ElementsAre("[kafka]"));
}

TEST_F(ReloadableTest, EachSectionIsNamedOnce) {
  EXPECT_THAT(Restarts("host = db1\nuser = relay", "host = db2\nport = 5\nuser = other"),
              ElementsAre("[mysql]"));
}

TEST_F(ReloadableTest, AFamilyThatIsNewOrGoneIsNamed) {
  EXPECT_THAT(Restarts("[outbox.mails]\ntable = shop.mails\n", ""), ElementsAre("[outbox.mails]"));
  EXPECT_THAT(Restarts("[kafka]", "[outbox.more]\ntable = shop.more\n[kafka]"),
              ElementsAre("[outbox.more]"));
}

TEST_F(ReloadableTest, TheOrderOfFamiliesCountsForRowsThatSeveralTake) {
  EXPECT_THAT(
      Restarts("[outbox.orders]\ntable = shop.orders\n[outbox.mails]\ntable = shop.mails\n",
               "[outbox.mails]\ntable = shop.mails\n[outbox.orders]\ntable = shop.orders\n"),
      ElementsAre("[outbox]"));
}

}  // namespace
}  // namespace outboxd
