#include "daemon/preparation/preparation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/daemon/local_ports.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Of servers that nobody has started; what asks one is in tests/daemon/server/preparation_test.cc.
class PreparationTest : public testing::Test {
 protected:
  PreparationTest() {
    config_.mysql.hosts = {"127.0.0.1:" + std::to_string(first_.number())};
    config_.outboxes.emplace_back().tables = {"shop.outbox"};
  }
  void AddHost() { config_.mysql.hosts.push_back("127.0.0.1:" + std::to_string(second_.number())); }
  std::string First() const { return "mysql at " + config_.mysql.hosts[0]; }
  std::string Second() const { return "mysql at " + config_.mysql.hosts.at(1); }
  Error ErrorOf(binlog::Interrupter* interrupter = nullptr) {
    auto prepared = Prepare(config_, std::nullopt, interrupter);
    EXPECT_FALSE(prepared);
    return prepared ? Error{} : prepared.error();
  }

  const ClosedPort first_, second_;
  Config config_;
};

TEST_F(PreparationTest, AWrongConfigurationNeedsNoServer) {
  config_.outboxes.clear();
  EXPECT_EQ(ErrorOf().kind, ExitCode::kConfiguration);
}

TEST_F(PreparationTest, AServerThatIsAwayMayComeBack) {
  const Error error = ErrorOf();
  EXPECT_EQ(error.kind, ExitCode::kUnreachable);
  EXPECT_THAT(error.ToText(), AllOf(StartsWith(First() + ": "), Not(HasSubstr("; "))));
}

TEST_F(PreparationTest, OfSeveralThatAreAwayEachIsNamedOnce) {
  AddHost();
  const Error error = ErrorOf();
  EXPECT_EQ(error.kind, ExitCode::kUnreachable);
  EXPECT_THAT(error.ToText(), AllOf(HasSubstr(First() + ": "), HasSubstr(Second() + ": "),
                                    Not(HasSubstr(First() + ": " + First()))));
}

// The first server takes the connection and says nothing until a stop breaks that off.
class InterruptedPreparationTest : public PreparationTest {
 protected:
  InterruptedPreparationTest() {
    config_.mysql.hosts = {"127.0.0.1:" + std::to_string(silent_.number())};
    interrupter_.Request();
  }

  const SilentPort silent_;
  binlog::Interrupter interrupter_;
};

TEST_F(InterruptedPreparationTest, AsksNoOtherHost) {
  AddHost();
  EXPECT_THAT(ErrorOf(&interrupter_).ToText(),
              AllOf(HasSubstr("interrupted"), Not(HasSubstr(Second()))));
}

TEST_F(InterruptedPreparationTest, IsToBeTriedAgain) {
  EXPECT_EQ(ErrorOf(&interrupter_).kind, ExitCode::kUnreachable);
}

}  // namespace
}  // namespace outboxd
