#include "daemon/service/environment_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(EnvironmentFileTest, TakesAnAssignmentFromEachLine) {
  EXPECT_THAT(ParseEnvironmentFile("A=1\n\nB=two words\nC=\nD=last"),
              ElementsAre("A=1", "B=two words", "C=", "D=last"));
}

TEST(EnvironmentFileTest, PassesOverCommentsAndBlanks) {
  EXPECT_THAT(ParseEnvironmentFile("# A=1\n ; B=2\n  C = 3 \t\r\nD=4 # stays\n"),
              ElementsAre("C=3", "D=4 # stays"));
}

TEST(EnvironmentFileTest, QuotesKeepWhatIsInThem) {
  EXPECT_THAT(ParseEnvironmentFile(R"(A=' one "two" \n '
B=" 'x' \"y\" \\ \$z \n "
C="a
b"
D='a' "b"c
)"),
              ElementsAre(R"(A= one "two" \n )", R"(B= 'x' "y" \ $z \n )", "C=a\nb", "D=abc"));
}

TEST(EnvironmentFileTest, ABackslashJoinsLinesAndKeepsACharacter) {
  EXPECT_THAT(ParseEnvironmentFile("A=one\\\ntwo\nB=\"one\\\ntwo\"\nC=\\'x\\\\\\ \nD=4\n"),
              ElementsAre("A=onetwo", "B=onetwo", "C='x\\ ", "D=4"));
}

TEST(EnvironmentFileTest, PassesOverWhatIsNoVariable) {
  EXPECT_THAT(ParseEnvironmentFile("no assignment\n1A=1\nB-C=2\n=3\nexport D=4\nE=\x01\nF=\xff"),
              IsEmpty());
}

}  // namespace
}  // namespace outboxd
