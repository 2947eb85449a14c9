#include "daemon/config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "daemon/config/config_keys.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class SettingsTest : public testing::Test {
 protected:
  void Collect(std::string_view file, const std::vector<std::string>& overrides = {}) {
    Complaints complaints("c.conf");
    settings_ = CollectSettings(ReadConfigFiles(file, complaints), overrides, complaints);
    complaints_ = complaints.empty() ? "" : complaints.All().ToText();
  }
  // What is complained about.
  std::string Wrong(std::string_view file, const std::vector<std::string>& overrides = {}) {
    Collect(file, overrides);
    return complaints_;
  }
  // "LINE section.key = value" of each one that counts.
  [[nodiscard]] std::vector<std::string> Counting() const {
    std::vector<std::string> texts;
    for (const Setting& setting : settings_.all) {
      texts.push_back(fmt::format("{} {} = {}", setting.line, setting.name(), setting.value));
    }
    return texts;
  }

  Settings settings_;
  std::string complaints_;
};

TEST_F(SettingsTest, EachKnowsItsLine) {
  Collect("[relay]\nname = shop\n\n[kafka]\nlinger.ms = 5\n", {"--log.level=info"});
  EXPECT_EQ(complaints_, "");
  EXPECT_THAT(Counting(),
              ElementsAre("2 relay.name = shop", "5 kafka.linger.ms = 5", "-1 log.level = info"));
}

TEST_F(SettingsTest, AKeyOfTheCommandLineCountsInsteadOfTheFiles) {
  const std::string_view file =
      "[log]\nlevel = error\n[outbox]\ntable = a.a\ntable = a.b\nid = x\n";
  Collect(file, {"--log.level=debug", "--outbox.table=b.a", "--outbox.table", "b.b"});
  EXPECT_EQ(complaints_, "");
  EXPECT_THAT(Counting(), ElementsAre("6 outbox.id = x", "-1 log.level = debug",
                                      "-1 outbox.table = b.a", "-1 outbox.table = b.b"));
}

TEST_F(SettingsTest, AFamilysKeyReplacesThatOfNoOther) {
  Collect("[outbox]\ntable = a.a\n[outbox.eu]\ntable = eu.a\n", {"--outbox.eu.table=eu.b"});
  EXPECT_THAT(Counting(), ElementsAre("2 outbox.table = a.a", "-1 outbox.eu.table = eu.b"));
}

TEST_F(SettingsTest, TheFirstOfAKeyIsFound) {
  Collect("[outbox]\ntable = a.a\ntable = a.b\n");
  ASSERT_NE(settings_.Find("outbox", "table"), nullptr);
  EXPECT_EQ(settings_.Find("outbox", "table")->value, "a.a");
  EXPECT_EQ(settings_.Find("outbox", "id"), nullptr);
  EXPECT_EQ(settings_.Find("outbox.eu", "table"), nullptr);
}

TEST_F(SettingsTest, ASectionStandsOnceWhereItFirstStood) {
  Collect("[outbox.eu]\n[relay]\nname = a\n[mysq]\n", {"--outbox.us.id=x", "--relay.name=b"});
  EXPECT_THAT(settings_.sections, ElementsAre("outbox.eu", "relay", "outbox.us"));
  Collect("", {"--outbox.us.idd=x"});
  EXPECT_THAT(settings_.sections, IsEmpty()) << "a key that there is not makes no section";
}

TEST_F(SettingsTest, WhatIsWrongIsLeftOutAndTheRestIsKept) {
  Collect("[relay]\nnam = a\njunk\nname = b\n[mysq]\nhost = a\n",
          {"--log.levl=x", "--log.level=y"});
  EXPECT_THAT(Counting(), ElementsAre("4 relay.name = b", "-1 log.level = y"));
  EXPECT_EQ(complaints_,
            "c.conf:2: relay.nam: unknown key HINT: did you mean name?\n"
            "c.conf:3: neither [section] nor key = value HINT: a comment begins with #\n"
            "c.conf:5: unknown section [mysq] HINT: did you mean [mysql]?\n"
            "--log.levl: unknown key HINT: did you mean level?");
}

TEST_F(SettingsTest, AnUnknownKeyComesWithLineAndNearestKey) {
  EXPECT_EQ(Wrong("[mysql]\nhots = a\n"),
            "c.conf:2: mysql.hots: unknown key HINT: did you mean host?");
  EXPECT_EQ(Wrong("[mysql]\nlevel = a\n"),
            "c.conf:2: mysql.level: unknown key HINT: level belongs into [log]");
  EXPECT_THAT(Wrong("[log]\nzzzzzzzz = a\n"), HasSubstr("unknown key HINT: keys of [log]: level"));
}

TEST_F(SettingsTest, AnUnknownSectionComesWithTheNearest) {
  EXPECT_EQ(Wrong("[mysq]\nhost = a\n"),
            "c.conf:1: unknown section [mysq] HINT: did you mean [mysql]?");
  EXPECT_THAT(Wrong("[zzzzzzzz]\n"), HasSubstr("HINT: sections: relay, "));
}

TEST_F(SettingsTest, AFamilyHasAPlainName) {
  Collect("[outbox.e-U_1]\nid = x\n");
  EXPECT_EQ(complaints_, "");
  for (const std::string name : {"", "e,u", "e u", "a.b", "ü"}) {
    EXPECT_THAT(Wrong("[outbox." + name + "]\n"),
                AllOf(StartsWith("c.conf:1: section [outbox."),
                      HasSubstr("]: the name behind the dot holds something else than letters, "
                                "digits, - and _")));
  }
}

TEST_F(SettingsTest, WhatComesLaterIsNotCalledUnknown) {
  EXPECT_EQ(Wrong("[housekeeping]\nmark = yes\n[delivery]\nstandby = yes\n"),
            "c.conf:1: section [housekeeping] is not available in this version\n"
            "c.conf:4: delivery.standby: is not available in this version");
}

TEST_F(SettingsTest, AKeyOfThisVersionIsNotCalledOneToComeWhereverItIsWritten) {
  for (const ConfigKey& written_in : ConfigKeys()) {
    for (const ConfigKey& known : ConfigKeys()) {
      EXPECT_FALSE(IsLaterKey(written_in.section, known.key))
          << written_in.section << "." << known.key;
    }
  }
  EXPECT_EQ(Wrong("[mysql]\nmax-stall = 1m\n"),
            "c.conf:2: mysql.max-stall: unknown key HINT: max-stall belongs into [delivery]");
}

TEST_F(SettingsTest, ADuplicateNamesBothLines) {
  EXPECT_EQ(Wrong("[relay]\nname = a\nname = b\n"),
            "c.conf:3: relay.name: stands twice, first in line 2");
  EXPECT_EQ(Wrong("[kafka]\nacks = 1\nacks = all\n"),
            "c.conf:3: kafka.acks: stands twice, first in line 2");
  EXPECT_EQ(Wrong("", {"--log.level=info", "--log.level=info"}), "--log.level: stands twice");
  EXPECT_EQ(Wrong("[outbox]\ntable = a.a\ntable = a.b\n"), "") << "it may be repeated";
}

TEST_F(SettingsTest, RefusesWhatIsNoOption) {
  EXPECT_EQ(Wrong("", {"run"}), "'run' is not --section.key=value");
  EXPECT_THAT(Wrong("", {"--level=info"}), HasSubstr("--level: no such option"));
  EXPECT_EQ(Wrong("", {"--log.level"}), "--log.level: has no value");
  EXPECT_EQ(Wrong("", {"--log.level", "--relay.name=a"}), "--log.level: has no value");
  EXPECT_THAT(Wrong("", {"--log.lev=info"}), HasSubstr("--log.lev: unknown key"));
  EXPECT_THAT(Wrong("", {"--mysq.host=a"}), HasSubstr("unknown section [mysq]"));
}

TEST_F(SettingsTest, RefusesSecretsOnTheCommandLineWithoutShowingThem) {
  for (const char* key : {"kafka.sasl.password", "kafka.ssl.key.password", "mysql.password",
                          "kafka.sasl.oauthbearer.client.secret", "kafka.ssl.key.pem"}) {
    const std::string wrong = Wrong("", {std::string("--") + key + "=hunter2"});
    EXPECT_THAT(wrong, AllOf(HasSubstr(key), HasSubstr("refused"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(Counting(), IsEmpty());
  }
  EXPECT_EQ(Wrong("", {"--mysql.password-file=/run/p"}), "");
}

TEST_F(SettingsTest, ExpandsTheEnvironmentInPathsOnly) {
  setenv("OUTBOXD_TEST_DIRECTORY", "/run/credentials", 1);
  Collect(
      "[relay]\nstate-directory = ${OUTBOXD_TEST_DIRECTORY}/state\n"
      "[mysql]\nuser = ${OUTBOXD_TEST_DIRECTORY}\n"
      "[kafka]\nsasl.password-file = ${OUTBOXD_TEST_DIRECTORY}/kafka\n",
      {"--mysql.password-file=${OUTBOXD_TEST_DIRECTORY}/mysql"});
  EXPECT_THAT(Counting(), ElementsAre("2 relay.state-directory = /run/credentials/state",
                                      "4 mysql.user = ${OUTBOXD_TEST_DIRECTORY}",
                                      "6 kafka.sasl.password-file = /run/credentials/kafka",
                                      "-1 mysql.password-file = /run/credentials/mysql"));
  unsetenv("OUTBOXD_TEST_DIRECTORY");
}

TEST_F(SettingsTest, APathThatCannotBeExpandedHasItsLine) {
  EXPECT_THAT(Wrong("[mysql]\npassword-file = ${OUTBOXD_TEST_GONE}/x\n"),
              StartsWith("c.conf:2: mysql.password-file: the environment variable "
                         "'OUTBOXD_TEST_GONE' is not set HINT: outboxd --unit NAME"));
  EXPECT_EQ(Wrong("[mysql]\npassword-file = ${OUTBOXD_TEST_GONE}\n", {"--mysql.password-file=/p"}),
            "")
      << "it does not count";
}

}  // namespace
}  // namespace outboxd
