#include "daemon/commands/command_line.h"

#include <gtest/gtest.h>

namespace outboxd {
namespace {

Result<CommandLine> Parse(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return ParseCommandLine(arguments);
}

TEST(CommandLineTest, TakesCommandWordsAndOptionsInAnyOrder) {
  const auto line = Parse({"--config", "a.conf", "position", "set", "now", "--mysql.port=3307"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->command, "position");
  EXPECT_EQ(line->words, (std::vector<std::string>{"set", "now"}));
  EXPECT_EQ(line->config_path, "a.conf");
  EXPECT_EQ(line->overrides, std::vector<std::string>{"--mysql.port=3307"});
}

TEST(CommandLineTest, AnOverrideMayHaveItsValueBehindIt) {
  const auto line = Parse({"run", "--mysql.port", "3307", "--config=a.conf"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->overrides, (std::vector<std::string>{"--mysql.port", "3307"}));
  EXPECT_EQ(line->config_path, "a.conf");
}

TEST(CommandLineTest, RefusesAnOptionItDoesNotKnowAndOneWithoutItsValue) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"run", "--frequently"}, {"run", "--config"}, {"run", "--mysql.port"}}) {
    const auto line = Parse(words);
    ASSERT_FALSE(line) << words.back();
    EXPECT_EQ(line.error().exit_code, ExitCode::kUsage);
  }
}

TEST(CommandLineTest, HelpAndVersionAreCommandsToo) {
  EXPECT_EQ(Parse({"--help"})->command, "help");
  EXPECT_EQ(Parse({"--version"})->command, "version");
}

}  // namespace
}  // namespace outboxd
