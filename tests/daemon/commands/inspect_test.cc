#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/commands/commands.h"
#include "tests/daemon/fake_source.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class InspectTest : public testing::Test {
 protected:
  void WriteLog(const std::string& name, std::vector<LoggedTransaction> transactions) {
    FakeSource source;
    source.transactions = std::move(transactions);
    ASSERT_TRUE(source.Open({}, {}));
    (void)source.Next();  // The ROTATE that only a server sends.
    std::string contents =
        "\xfe"
        "bin";
    while (!source.AtEnd()) {
      const auto event = source.Next().value();
      contents.append(event.begin(), event.end());
    }
    directory_.Write(name, contents);
  }
  // What it prints, given names of files and --from.
  std::string Output(const std::vector<std::string>& names, const std::string& from = "",
                     bool server = false) {
    CommandLine line;
    for (const std::string& name : names) line.words.push_back(directory_ / name);
    line.from = from;
    line.server = server;
    testing::internal::CaptureStdout();
    result_ = InspectCommand(std::nullopt, line);
    return testing::internal::GetCapturedStdout();
  }

  TemporaryDirectory directory_;
  Result<void> result_;
};

TEST_F(InspectTest, ReadsFilesOneAfterTheOtherAndTakesEveryTableForAnEventTable) {
  WriteLog("binlog.000001", {{"a"}, {"b"}});
  WriteLog("binlog.000002", {{"c"}});
  const std::string text = Output({"binlog.000001", "binlog.000002"});
  EXPECT_TRUE(result_.has_value());
  EXPECT_THAT(text, AllOf(HasSubstr("id='a'"), HasSubstr("id='c'"), HasSubstr("binlog.000002:"),
                          HasSubstr("3 transactions: 3 published (3 rows)")));
}

TEST_F(InspectTest, BeginsWhereItIsToldTo) {
  WriteLog("binlog.000001", {{"a"}, {"b"}});
  const std::string text = Output({"binlog.000001"}, "370");
  EXPECT_THAT(text, HasSubstr("1 transactions: 1 published (1 rows)"));
}

TEST_F(InspectTest, AFileThatIsNoBinaryLogIsNamed) {
  directory_.Write("notes.txt", "hello, world");
  Output({"notes.txt"});
  ASSERT_FALSE(result_);
  EXPECT_THAT(result_.error().message, HasSubstr("notes.txt is not a binary log"));
  Output({"gone"});
  ASSERT_FALSE(result_);
  EXPECT_THAT(result_.error().message, HasSubstr("gone cannot be opened: No such file"));
}

TEST_F(InspectTest, ShowsWhatIsWholeOfAFileThatIsCutOff) {
  WriteLog("binlog.000001", {{"a"}, {"b"}});
  const std::string whole = directory_.Read("binlog.000001");
  directory_.Write("binlog.000001", whole.substr(0, whole.size() - 1));
  const std::string text = Output({"binlog.000001"});
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kUndecodable);
  EXPECT_THAT(result_.error().message, HasSubstr("the server may still be writing it"));
  EXPECT_THAT(text, AllOf(HasSubstr("  => NOT PUBLISHED: transaction "), HasSubstr(" has no end"),
                          HasSubstr("1 transactions: 1 published (1 rows)"),
                          HasSubstr("; 1 without end\n")));
}

TEST_F(InspectTest, WhereNothingCouldBeReadThereIsNoSummary) {
  directory_.Write("notes.txt", "hello, world");
  EXPECT_EQ(Output({"notes.txt"}), "");
}

TEST_F(InspectTest, WhatToDoStandsInTheLastLineAlone) {
  WriteLog("binlog.000001", {{"a"}});
  std::string log = directory_.Read("binlog.000001");
  log.replace(log.find("9.7.4"), 5, "5.5.4");
  directory_.Write("binlog.000001", log);
  const std::string text = Output({"binlog.000001"});
  ASSERT_FALSE(result_);
  EXPECT_THAT(result_.error().hint, testing::StartsWith("docs/compatibility.md"));
  EXPECT_THAT(text, AllOf(HasSubstr("  => STOP: at "), Not(HasSubstr("HINT")),
                          Not(HasSubstr("0 transactions"))));
}

TEST_F(InspectTest, SaysHowItIsUsedWhereNothingIsNamed) {
  Output({});
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kUsage);
  Output({}, "", true);  // A server that no configuration names.
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kUsage);
  Output({"binlog.000001"}, "table");
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().kind, ExitCode::kUsage);
}

}  // namespace
}  // namespace outboxd
