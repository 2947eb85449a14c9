#include "daemon/commands/command_line.h"

#include <gmock/gmock.h>
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

TEST(CommandLineTest, InspectTakesFilesOrAServerAndAPlaceToBeginAt) {
  const auto files = Parse({"inspect", "binlog.000001", "--from", "157", "binlog.000002"});
  ASSERT_TRUE(files);
  EXPECT_EQ(files->words, (std::vector<std::string>{"binlog.000001", "binlog.000002"}));
  EXPECT_EQ(files->from, "157");
  EXPECT_FALSE(files->server);
  const auto server = Parse({"inspect", "--server", "--config=a.conf", "--from=earliest"});
  ASSERT_TRUE(server);
  EXPECT_TRUE(server->server);
  EXPECT_TRUE(server->words.empty());
  EXPECT_EQ(server->from, "earliest");
}

TEST(CommandLineTest, PositionsOfDebeziumAreMarkedAsSuch) {
  const auto line = Parse({"position", "import", "--debezium", "offset.json", "--config=a.conf"});
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->debezium);
  EXPECT_EQ(line->words, (std::vector<std::string>{"import", "offset.json"}));
  EXPECT_FALSE(Parse({"position", "show"})->debezium);
}

TEST(CommandLineTest, StatusAndAlarmsTakeTheirWords) {
  EXPECT_EQ(Parse({"status", "--config", "a.conf"})->command, "status");
  const auto alarms = Parse({"alarms", "acknowledge", "--config", "a.conf"});
  ASSERT_TRUE(alarms);
  EXPECT_EQ(alarms->command, "alarms");
  EXPECT_EQ(alarms->words, std::vector<std::string>{"acknowledge"});
}

TEST(CommandLineTest, DeadLettersTakesPositionsOrAll) {
  const auto some = Parse({"dead-letters", "replay", "u:1:1", "u:2:1", "--config=a.conf"});
  ASSERT_TRUE(some);
  EXPECT_EQ(some->words, (std::vector<std::string>{"replay", "u:1:1", "u:2:1"}));
  EXPECT_FALSE(some->all);
  EXPECT_TRUE(Parse({"dead-letters", "replay", "--all"})->all);
  const auto list = Parse({"dead-letters", "list", "--from", "7", "--json"});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->from, "7");
  EXPECT_TRUE(list->json);
}

TEST(CommandLineTest, TheUsageNamesEveryCommand) {
  for (const char* command :
       {"run", "check", "tail", "position show", "position set", "skip", "dead-letters list",
        "dead-letters replay", "status", "alarms", "inspect", "version"}) {
    EXPECT_NE(UsageText().find(std::string("  outboxd ") + command), std::string_view::npos)
        << command;
  }
}

TEST(CommandLineTest, RefusesAnOptionItDoesNotKnowAndOneWithoutItsValue) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"run", "--frequently"},
                                                                 {"run", "--config"},
                                                                 {"run", "--mysql.port"},
                                                                 {"inspect", "--from"},
                                                                 {"inspect", "--server=x"}}) {
    const auto line = Parse(words);
    ASSERT_FALSE(line) << words.back();
    EXPECT_EQ(line.error().kind, ExitCode::kUsage);
  }
}

TEST(CommandLineTest, AMistypedCommandOrOptionGetsTheNearestOne) {
  EXPECT_EQ(UnknownCommandError("chekc").ToText(),
            "unknown command 'chekc' HINT: did you mean check?");
  EXPECT_EQ(UnknownCommandError("dead-letter").hint, "did you mean dead-letters?");
  EXPECT_EQ(UnknownCommandError("frobnicate").hint, "outboxd --help");
  EXPECT_EQ(Parse({"run", "--confg", "a.conf"}).error().hint, "did you mean --config?");
  EXPECT_EQ(Parse({"run", "--frequently"}).error().hint, "outboxd --help");
}

TEST(CommandLineTest, RefusesWordsAndOptionsThatACommandDoesNotTake) {
  const std::vector<std::vector<std::string>> refused = {
      {"run", "now"},
      {"check", "a.conf"},
      {"skip", "u:1:1", "u:1:2"},
      {"reload", "--json"},
      {"dead-letters", "replay", "u:1:1", "--json"},
      {"dead-letters", "replay", "--all", "--from", "7"},
      {"dead-letters", "list", "--all"},
      {"dead-letters", "list", "u:1:1"},
      {"position", "show", "--debezium"},
      {"position", "set", "now", "--debezium"},
      {"run", "--from", "now"},
      {"version", "--all"},
      {"presets", "--config", "a.conf"},
      {"init", "--relay.name=shop"},
  };
  for (const auto& words : refused) {
    const auto line = Parse(words);
    ASSERT_TRUE(line);
    const auto fits = CheckWords(*line);
    ASSERT_FALSE(fits) << words.front() << " " << words.back();
    EXPECT_EQ(fits.error().kind, ExitCode::kUsage);
  }
  const auto replay = CheckWords(*Parse({"dead-letters", "replay", "u:1:1", "--json"}));
  EXPECT_THAT(replay.error().message,
              testing::StartsWith("outboxd dead-letters replay takes no --json"));
  const std::vector<std::vector<std::string>> taken = {
      {"run", "--config", "a.conf", "--mysql.port=1"},   {"tail", "--from", "now", "--explain"},
      {"dead-letters", "replay", "u:1:1", "u:2:1"},      {"dead-letters", "replay", "--all"},
      {"dead-letters", "list", "--from", "7", "--json"}, {"inspect", "a", "b", "c"},
      {"position", "import", "--debezium", "{}"},
  };
  for (const auto& words : taken) {
    EXPECT_TRUE(CheckWords(*Parse(words))) << words.front();
  }
}

TEST(CommandLineTest, AUnitStandsForAConfiguration) {
  EXPECT_EQ(Parse({"--unit", "shop", "status"})->unit, "shop");
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"status"}, {"check"}, {"skip", "u:1:1"}, {"tail"}, {"inspect", "--server"}}) {
    std::vector<std::string> typed = {"--unit=shop", "--mysql.port=1"};
    typed.insert(typed.end(), words.begin(), words.end());
    EXPECT_TRUE(CheckWords(*Parse(typed))) << words.front();
  }
}

TEST(CommandLineTest, AUnitIsRefusedBesideAConfigurationAndWhereNoneIsTaken) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"status", "--config", "a.conf"},
                                                                 {"version"},
                                                                 {"presets"},
                                                                 {"init"},
                                                                 {"import-config", "a.json"}}) {
    std::vector<std::string> typed = {"--unit=shop"};
    typed.insert(typed.end(), words.begin(), words.end());
    const auto fits = CheckWords(*Parse(typed));
    ASSERT_FALSE(fits) << words.front();
    EXPECT_EQ(fits.error().kind, ExitCode::kUsage);
    EXPECT_THAT(fits.error().message, testing::HasSubstr("--unit"));
  }
}

TEST(CommandLineTest, RunOfAUnitIsLeftToSystemd) {
  const auto fits = CheckWords(*Parse({"run", "--unit", "shop"}));
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().kind, ExitCode::kUsage);
  EXPECT_EQ(fits.error().hint, "systemctl start outboxd@shop.service");
}

TEST(CommandLineTest, HelpAndVersionAreCommandsToo) {
  EXPECT_TRUE(Parse({"--help"})->help);
  EXPECT_TRUE(Parse({"status", "--help"})->help);
  EXPECT_EQ(Parse({"--version"})->command, "version");
}

}  // namespace
}  // namespace outboxd
