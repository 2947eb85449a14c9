#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "daemon/config/config_keys.h"

namespace outboxd {
namespace {

TEST(ReadmeTest, DocumentsEveryConfigurationKey) {
  std::ifstream file(OUTBOXD_README);
  if (!file) GTEST_SKIP() << "there is no README.md";
  const std::string readme{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::string missing;
  for (const std::string& row : ConfigKeyRows()) {
    if (readme.find(row + "\n") == std::string::npos) missing += row + "\n";
  }
  EXPECT_EQ(missing, "") << "rows that README.md's table of keys lacks; paste them there";
}

}  // namespace
}  // namespace outboxd
