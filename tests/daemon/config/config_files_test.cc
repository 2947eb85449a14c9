#include "daemon/config/config_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "daemon/config/config_reader.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ConfigFilesTest : public testing::Test {
 protected:
  ConfigFilesTest() { std::filesystem::create_directory(folder_ / "shared"); }

  void Write(const std::string& name, const std::string& text) const { folder_.Write(name, text); }

  [[nodiscard]] Result<Config> Read(const std::vector<std::string>& overrides = {}) const {
    return ReadConfig(folder_ / "shop.conf", overrides);
  }
  // What is complained about, without the folder.
  [[nodiscard]] std::string Wrong() const {
    const auto config = Read();
    std::string text = config ? "" : config.error().ToText();
    for (std::size_t at; (at = text.find(folder_ / "")) != std::string::npos;) {
      text.erase(at, (folder_ / "").size());
    }
    return text;
  }

  TemporaryDirectory folder_;
};

constexpr const char* kOutbox = "[relay]\nname = shop\n[outbox]\ntable = shop.outbox\n";

TEST_F(ConfigFilesTest, WhatAFileIncludesIsAPartOfIt) {
  Write("shared/mysql.conf", "[mysql]\nhost = db-1\ntls-ca = /etc/ca.pem\n");
  Write("shared/kafka.conf", "include = mysql.conf\n[kafka]\nbootstrap.servers = k:9092\n");
  Write("shop.conf", std::string("include = shared/kafka.conf\n") + kOutbox);
  const auto config = Read();
  ASSERT_TRUE(config) << config.error().ToText();
  EXPECT_THAT(config->mysql.hosts, ElementsAre("db-1"));
  EXPECT_EQ(config->sink.settings.at(0).value, "k:9092");
}

TEST_F(ConfigFilesTest, WhatAFileSaysCountsInsteadOfWhatItIncludes) {
  Write("a.conf", "[mysql]\nuser = a\nport = 1\n[outbox]\ntable = a.a\ntable = a.b\n");
  Write("b.conf", "[mysql]\nuser = b\nhost = b\n[kafka]\nbootstrap.servers = k\n");
  Write("shop.conf",
        std::string("include = a.conf\ninclude = b.conf\n[mysql]\nhost = c\n") + kOutbox);
  const auto config = Read({"--mysql.port=7"});
  ASSERT_TRUE(config) << config.error().ToText();
  EXPECT_EQ(config->mysql.user, "b");                   // The later include.
  EXPECT_THAT(config->mysql.hosts, ElementsAre("c"));   // The file itself.
  EXPECT_EQ(config->mysql.port, 7);                     // The command line.
  EXPECT_EQ(config->outboxes.at(0).tables.size(), 1U);  // All values of a repeatable key.
}

TEST_F(ConfigFilesTest, AMistakeIsNamedByItsOwnFileAndLine) {
  Write("shared/kafka.conf", "[kafka]\nbootstrap.servers = k\n[log]\nlevel = loud\nfoo = 1\n[x]\n");
  Write("shop.conf",
        std::string("include = shared/kafka.conf\n") + kOutbox + "[mysql]\nport = 0\n");
  const std::string wrong = Wrong();
  EXPECT_THAT(wrong, HasSubstr("shop.conf:7: mysql.port: "));
  EXPECT_THAT(wrong, HasSubstr("shared/kafka.conf:4: log.level: "));
  EXPECT_THAT(wrong, HasSubstr("shared/kafka.conf:5: log.foo: unknown key"));
  EXPECT_THAT(wrong, HasSubstr("shared/kafka.conf:6: unknown section [x]"));
}

TEST_F(ConfigFilesTest, AFileThatIncludesItselfByWayOfOthersIsNamed) {
  Write("a.conf", "\ninclude = b.conf\n");
  Write("b.conf", "include = shared/../a.conf\n");
  Write("shop.conf", std::string("include = a.conf\n") + kOutbox);
  EXPECT_THAT(Wrong(),
              HasSubstr("b.conf:1: include: circular: a.conf includes b.conf includes a.conf"));
  Write("shop.conf", std::string("include = shop.conf\n") + kOutbox);
  EXPECT_THAT(Wrong(), HasSubstr("shop.conf:1: include: circular: shop.conf includes shop.conf"));
}

TEST_F(ConfigFilesTest, AFileMayBeIncludedByTwo) {
  Write("c.conf", "[kafka]\nbootstrap.servers = k\n");
  Write("a.conf", "include = c.conf\n");
  Write("b.conf", "include = c.conf\n");
  Write("shop.conf", std::string("include = a.conf\ninclude = b.conf\n") + kOutbox);
  EXPECT_EQ(Wrong(), "");
}

TEST_F(ConfigFilesTest, AFileThatIsNotThereOrCannotBeReadIsNamed) {
  Write("shop.conf",
        std::string("include = nowhere.conf\ninclude = shared\ninclude =\n") + kOutbox);
  const std::string wrong = Wrong();
  EXPECT_THAT(wrong, HasSubstr("shop.conf:1: include: nowhere.conf: no such file"));
  EXPECT_THAT(wrong, HasSubstr("shop.conf:2: include: "));
  EXPECT_THAT(wrong, HasSubstr("shop.conf:3: include: names no file"));
}

TEST_F(ConfigFilesTest, AnIncludeStandsAboveTheFirstSection) {
  Write("shop.conf", std::string(kOutbox) + "include = a.conf\n");
  EXPECT_THAT(Wrong(), HasSubstr("shop.conf:5: outbox.include: unknown key"));
}

}  // namespace
}  // namespace outboxd
