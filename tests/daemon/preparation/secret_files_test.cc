#include "daemon/preparation/secret_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using std::filesystem::perms;

class SecretFilesTest : public testing::Test {
 protected:
  // A file with this mode.
  std::string Make(const char* name, perms mode) {
    directory_.Write(name, "secret");
    std::filesystem::permissions(directory_ / name, mode);
    return directory_ / name;
  }

  TemporaryDirectory directory_;
  Config config_;
};

TEST_F(SecretFilesTest, OneForOwnerAndGroupIsGood) {
  config_.mysql.password_file = Make("a", perms(0640));
  config_.sink.settings = {{"kafka", "sasl.password-file", Make("b", perms(0600))}};
  EXPECT_TRUE(CheckSecretFiles(config_).empty());
}

TEST_F(SecretFilesTest, OneForEverybodyIsToldWithTheCommandThatMendsIt) {
  config_.mysql.password_file = Make("a", perms(0644));
  config_.mysql.tls_key = Make("key", perms(0602));
  config_.sink.settings = {{"kafka", "ssl.key.location", Make("b", perms(0604))},
                           {"kafka", "ssl.ca.location", Make("ca", perms(0644))}};
  const auto findings = CheckSecretFiles(config_);
  ASSERT_EQ(findings.size(), 3u) << "an authority's certificate is no secret";
  EXPECT_EQ(findings[0].subject, "mysql.password-file");
  EXPECT_THAT(findings[0].found, testing::HasSubstr("(mode 0644)"));
  EXPECT_EQ(findings[0].remedy, "chmod o= " + config_.mysql.password_file);
  EXPECT_EQ(findings[1].subject, "mysql.tls-key");
  EXPECT_EQ(findings[2].subject, "kafka.ssl.key.location");
  EXPECT_EQ(findings[2].level, Finding::Level::kWarning);
}

TEST_F(SecretFilesTest, OneThatIsNotThereIsLeftToWhoReadsIt) {
  config_.mysql.password_file = directory_ / "nothing";
  EXPECT_TRUE(CheckSecretFiles(config_).empty());
}

}  // namespace
}  // namespace outboxd
