#include "daemon/service/person.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

class PersonTest : public testing::Test {
 protected:
  PersonTest() : root_(folder_.path()) {
    std::filesystem::create_directories(root_ + "/proc/self");
    unsetenv("SUDO_USER");
  }
  ~PersonTest() override { unsetenv("SUDO_USER"); }

  void LoggedIn(const std::string& number) const {
    std::ofstream(root_ + "/proc/self/loginuid") << number;
  }

  TemporaryDirectory folder_;
  const std::string root_;
};

TEST_F(PersonTest, IsTheUserOfTheLogInWhateverSudoMakesOfIt) {
  LoggedIn("0");
  setenv("SUDO_USER", "somebody", 1);
  EXPECT_EQ(PersonName(root_), "root");
}

TEST_F(PersonTest, IsANumberWhereTheUserHasNoName) {
  LoggedIn("3999999999");
  EXPECT_EQ(PersonName(root_), "3999999999");
}

TEST_F(PersonTest, IsWhoTypedSudoWhereThereWasNoLogIn) {
  LoggedIn("4294967295");
  setenv("SUDO_USER", "somebody", 1);
  EXPECT_EQ(PersonName(root_), "somebody");
}

TEST_F(PersonTest, IsTheUserOfTheProcessWhereNothingElseTells) {
  EXPECT_FALSE(PersonName(root_).empty());
  EXPECT_NE(PersonName(root_), "somebody");
}

}  // namespace
}  // namespace outboxd
