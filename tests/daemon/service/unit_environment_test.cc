#include "daemon/service/unit_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class UnitEnvironmentTest : public testing::Test {
 protected:
  UnitEnvironmentTest() { unit_.name = "outboxd@shop.service"; }

  Result<Environment> OfUnit() const { return EnvironmentOf(unit_, std::nullopt); }

  TemporaryDirectory directory_;
  ServiceUnit unit_;
};

TEST_F(UnitEnvironmentTest, TheLaterSourceOfAVariableCounts) {
  directory_.Write("first", "C=file\nD=file\n");
  directory_.Write("second", "D=second file\n");
  unit_.manager_environment = {"A=manager", "B=manager"};
  unit_.environment = {"B=unit", "C=unit"};
  unit_.environment_files = {{directory_ / "first"}, {directory_ / "second"}};
  EXPECT_THAT(OfUnit().value(), ElementsAre(Pair("A", "manager"), Pair("B", "unit"),
                                            Pair("C", "file"), Pair("D", "second file")));
}

TEST_F(UnitEnvironmentTest, HasTheFoldersAndTheCredentials) {
  unit_.directories["STATE_DIRECTORY"] = {"/var/lib/outboxd/shop", "/var/lib/other"};
  EXPECT_THAT(EnvironmentOf(unit_, "/run/x").value(),
              ElementsAre(Pair("CREDENTIALS_DIRECTORY", "/run/x"),
                          Pair("STATE_DIRECTORY", "/var/lib/outboxd/shop:/var/lib/other")));
  unit_.directories.clear();
  EXPECT_TRUE(OfUnit()->empty());
}

TEST_F(UnitEnvironmentTest, WhatIsUnsetIsNotThere) {
  unit_.environment = {"A=1", "B=2", "C=3"};
  unit_.unset_environment = {"A", "B=2", "C=another", "D"};
  EXPECT_THAT(OfUnit().value(), ElementsAre(Pair("C", "3")));
}

TEST_F(UnitEnvironmentTest, AFileMayHaveWildcards) {
  directory_.Write("a.env", "A=1\n");
  directory_.Write("b.env", "B=2\n");
  unit_.environment_files = {{directory_ / "*.env"}};
  EXPECT_THAT(OfUnit().value(), ElementsAre(Pair("A", "1"), Pair("B", "2")));
}

TEST_F(UnitEnvironmentTest, AMissingFileIsNamedUnlessItMayBeMissing) {
  unit_.environment_files = {{directory_ / "nothing", true}};
  EXPECT_TRUE(OfUnit());
  unit_.environment_files = {{directory_ / "nothing", false}};
  const auto environment = OfUnit();
  ASSERT_FALSE(environment);
  EXPECT_EQ(environment.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(environment.error().message, HasSubstr(directory_ / "nothing"));
}

TEST_F(UnitEnvironmentTest, AFileThatCannotBeReadIsNamed) {
  unit_.environment_files = {{directory_.path(), false}};
  const auto environment = OfUnit();
  ASSERT_FALSE(environment);
  EXPECT_EQ(environment.error().kind, ExitCode::kConfiguration);
  EXPECT_THAT(environment.error().message, HasSubstr(directory_.path()));
}

TEST(ExpandWordsTest, ReplacesVariablesAsSystemdDoes) {
  const Environment environment = {{"ONE", "1"}, {"TWO", " a  b "}, {"EMPTY", ""}};
  EXPECT_THAT(ExpandWords({"x=${ONE}${TWO}!", "$TWO", "$EMPTY", "${EMPTY}", "$$ONE", "${NONE}.",
                           "a$ONE", "${ONE", "$", "$$"},
                          environment),
              ElementsAre("x=1 a  b !", "a", "b", "", "$ONE", ".", "a$ONE", "${ONE", "$", "$"));
}

TEST(ReplaceEnvironmentTest, OnlyTheWayToPrintStays) {
  EXPECT_EXIT(
      {
        setenv("OUTBOXD_TEST", "1", 1);
        setenv("CREDENTIALS_DIRECTORY", "/of/the/operator", 1);
        setenv("TZ", "Asia/Tokyo", 1);
        ReplaceEnvironment({{"A", "1"}});
        const bool is_right =
            getenv("OUTBOXD_TEST") == nullptr && getenv("CREDENTIALS_DIRECTORY") == nullptr &&
            std::string(getenv("TZ")) == "Asia/Tokyo" && std::string(getenv("A")) == "1";
        std::exit(is_right ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace outboxd
