#include "daemon/commands/unit_command.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/daemon/forked.h"
#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr uid_t kNobodyInTests = 54321;  // Neither root nor a service's user.

class KnownUnits : public ServiceUnits {
 public:
  Result<ServiceUnit> Find(const std::string& name) override {
    if (!is_reachable) return Fail(ExitCode::kUnreachable, "no bus").Hint("--config FILE");
    const auto found = units.find(name);
    if (found == units.end()) return Fail(ExitCode::kUsage, "systemd has no unit {}", name);
    return found->second;
  }
  Result<std::vector<std::string>> Names() override {
    std::vector<std::string> names;
    for (const auto& [name, unit] : units) names.push_back(name);
    return names;
  }

  std::map<std::string, ServiceUnit> units;
  bool is_reachable = true;
};

class UnitCommandTest : public testing::Test {
 protected:
  UnitCommandTest() {
    for (const char* folder : {"private", "credentials"}) {
      std::filesystem::create_directory(directory_ / folder);
    }
    // The service's user is to reach what is in it.
    std::filesystem::permissions(directory_.path(), std::filesystem::perms{0755});
    std::filesystem::permissions(directory_ / "private", std::filesystem::perms{0755});
    places_.private_folders = directory_ / "private";
    places_.credentials.of_running_units = directory_ / "credentials";
    directory_.Write("shop.conf", "");
    directory_.Write("password", "secret");
    unit().name = "outboxd@shop.service";
    SetUser(std::to_string(geteuid()));
    unit().commands = {{"/usr/bin/outboxd", "run", "--config", directory_ / "shop.conf"}};
  }

  ServiceUnit& unit() { return units_.units["outboxd@shop.service"]; }
  void SetUser(const std::string& name) { unit().user = name; }
  void LoadCredential() {
    unit().credentials = {{"mysql-password", directory_ / "password", false}};
  }

  // The command's exit code, or that of the error if the command was not begun.
  int Type(const std::vector<std::string>& words,
           const std::function<int(const CommandLine&)>& does) {
    std::vector<std::string> typed = {"--unit", "shop"};
    typed.insert(typed.end(), words.begin(), words.end());
    std::vector<char*> arguments;
    for (std::string& word : typed) arguments.push_back(word.data());
    const auto line = ParseCommandLine(arguments);
    EXPECT_TRUE(line && CheckWords(*line));
    const auto done = UnitCommand(*line, units_, places_, does);
    error_ = done ? Error{} : done.error();
    return static_cast<int>(error_.kind);
  }
  // Of a command that is not begun.
  Error Refused(const std::vector<std::string>& words) {
    Type(words, [](const CommandLine&) { return 0; });
    EXPECT_THAT(PrivateFolders(), IsEmpty());
    return error_;
  }
  std::vector<std::string> PrivateFolders() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "private")) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  static std::string Variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "(not set)" : value;
  }
  static std::string Contents(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  TemporaryDirectory directory_;
  KnownUnits units_;
  UnitCommandPlaces places_;
  Error error_{};
};

TEST_F(UnitCommandTest, TheCommandHasTheConfigurationOfTheUnit) {
  unit().commands.front().emplace_back("--mysql.port=3307");
  EXPECT_EQ(Type({"position", "set", "now"},
                 [&](const CommandLine& line) {
                   EXPECT_EQ(line.command, "position");
                   EXPECT_THAT(line.words, ElementsAre("set", "now"));
                   EXPECT_EQ(line.config_path, directory_ / "shop.conf");
                   EXPECT_THAT(line.overrides, ElementsAre("--mysql.port=3307"));
                   EXPECT_EQ(line.unit, "");
                   return HasFailure() ? 99 : 0;
                 }),
            0);
}

TEST_F(UnitCommandTest, TheCodeOfTheCommandIsHandedOnWithoutAText) {
  EXPECT_EQ(Type({"status"}, [](const CommandLine&) { return 83; }), 83);
  EXPECT_EQ(error_.message, "");
  EXPECT_EQ(Type({"status"}, [](const CommandLine&) { return raise(SIGKILL); }), 128 + SIGKILL);
}

TEST_F(UnitCommandTest, KeysThatAreTypedWinOverThoseOfTheUnit) {
  EXPECT_THAT(OverridesOnTop({"--a.b=1", "--c.d", "2", "--e.f=3"}, {"--e.f=4", "--a.b", "5"}),
              ElementsAre("--c.d", "2", "--e.f=4", "--a.b", "5"));
  EXPECT_THAT(OverridesOnTop({"--c.d", "--c.d=1", "--a.b=1"}, {"--c.d=2"}),
              ElementsAre("--a.b=1", "--c.d=2"));
  EXPECT_THAT(OverridesOnTop({"--a.b=1", "--a.b=2"}, {}), ElementsAre("--a.b=1", "--a.b=2"));
}

TEST_F(UnitCommandTest, TheEnvironmentIsThatOfTheUnitAndNotOfWhoTypes) {
  setenv("OF_OPERATOR", "1", 1);
  unit().environment = {"OF_UNIT=1", "NAME=" + (directory_ / "shop")};
  unit().directories["STATE_DIRECTORY"] = {"/var/lib/outboxd/shop"};
  unit().commands = {{"outboxd", "run", "--config=${NAME}.conf"}};
  EXPECT_EQ(Type({"status"},
                 [&](const CommandLine& line) {
                   EXPECT_EQ(Variable("OF_OPERATOR"), "(not set)");
                   EXPECT_EQ(Variable("OF_UNIT"), "1");
                   EXPECT_EQ(Variable("STATE_DIRECTORY"), "/var/lib/outboxd/shop");
                   EXPECT_EQ(Variable("CREDENTIALS_DIRECTORY"), "(not set)");
                   EXPECT_EQ(line.config_path, directory_ / "shop.conf");
                   return HasFailure() ? 99 : 0;
                 }),
            0);
  unsetenv("OF_OPERATOR");
}

TEST_F(UnitCommandTest, ARelativeConfigurationIsInTheUnitsWorkingDirectory) {
  unit().working_directory = directory_.path();
  unit().commands = {{"outboxd", "run", "--config", "shop.conf"}};
  EXPECT_EQ(Type({"status"},
                 [&](const CommandLine& line) {
                   return line.config_path == directory_ / "shop.conf" ? 0 : 99;
                 }),
            0);
}

TEST_F(UnitCommandTest, ACommandThatAsksNoServerReadsNoCredential) {
  LoadCredential();
  std::filesystem::remove(directory_ / "password");
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"status"}, {"alarms"}, {"skip", "u:1:1"}, {"position", "show"}, {"inspect", "f"}}) {
    EXPECT_EQ(Type(words,
                   [&](const CommandLine&) {
                     const bool is_right = Variable("CREDENTIALS_DIRECTORY") ==
                                           directory_ / "credentials/outboxd@shop.service";
                     return is_right ? 0 : 99;
                   }),
              0)
        << words.front();
  }
}

TEST_F(UnitCommandTest, AUnitThatIsNotThereIsToldWithThoseThatAre) {
  units_.units["outboxd@orders.service"] = unit();
  units_.units["outboxd@shops.service"] = unit();
  units_.units.erase("outboxd@shop.service");
  const Error error = Refused({"status"});
  EXPECT_EQ(error.kind, ExitCode::kUsage);
  EXPECT_EQ(error.message, "--unit shop: systemd has no unit outboxd@shop.service");
  EXPECT_EQ(error.hint, "did you mean --unit shops? the units of this machine: orders, shops");
}

TEST_F(UnitCommandTest, AnInstanceWithoutConfigurationIsToldWithTheOthers) {
  units_.units["outboxd@shops.service"] = unit();
  std::filesystem::rename(directory_ / "shop.conf", directory_ / "orders.conf");
  const Error error = Refused({"status"});
  EXPECT_EQ(error.kind, ExitCode::kConfiguration);
  EXPECT_THAT(error.message, HasSubstr(directory_ / "shop.conf"));
  EXPECT_EQ(error.hint, "did you mean --unit shops? the units of this machine: orders, shops");
}

TEST_F(UnitCommandTest, AUnitThatStartsNoRelayIsRefused) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{},
                                             {"outboxd"},
                                             {"outboxd", "check", "--config", "a.conf"},
                                             {"outboxd", "run", "now"},
                                             {"sh", "-c", "outboxd run --config a.conf"}}) {
    unit().commands = {words};
    const Error error = Refused({"status"});
    EXPECT_EQ(error.kind, ExitCode::kConfiguration);
    EXPECT_THAT(error.message, HasSubstr("outboxd@shop.service starts no relay"));
  }
}

TEST_F(UnitCommandTest, WhoIsNeitherRootNorTheServicesUserIsToldToUseSudo) {
  places_.caller = kNobodyInTests;
  SetUser("root");
  const Error error = Refused({"skip", "u:1:1"});
  EXPECT_EQ(error.kind, ExitCode::kDenied);
  EXPECT_THAT(error.message, HasSubstr("user 'root'"));
  EXPECT_EQ(error.hint, "sudo outboxd --unit shop skip u:1:1");
}

TEST_F(UnitCommandTest, WithoutABusRootMayStillAskSystemd) {
  units_.is_reachable = false;
  places_.caller = 0;
  EXPECT_EQ(Refused({"status"}).kind, ExitCode::kUnreachable);
  EXPECT_EQ(Refused({"status"}).hint, "--config FILE");
  places_.caller = kNobodyInTests;
  EXPECT_EQ(Refused({"status"}).kind, ExitCode::kUnreachable);
  EXPECT_EQ(Refused({"status"}).hint, "sudo outboxd --unit shop status");
}

// As the service's user: root and nobody else can test what it may not read.
class ServiceUserTest : public UnitCommandTest {
 protected:
  ServiceUserTest() {
    SetUser(std::to_string(kNobodyInTests));
    places_.caller = kNobodyInTests;
  }
};

TEST_F(ServiceUserTest, HasNoCredentialsOfAUnitThatDoesNotRun) {
  LoadCredential();
  const Error error = Refused({"check"});
  EXPECT_EQ(error.kind, ExitCode::kDenied);
  EXPECT_THAT(error.message, HasSubstr("only root can read the credentials"));
  EXPECT_EQ(error.hint, "sudo outboxd --unit shop check");
}

TEST_F(ServiceUserTest, FindsTheCredentialsOfAUnitThatRuns) {
  LoadCredential();
  std::filesystem::create_directory(directory_ / "credentials/outboxd@shop.service");
  EXPECT_EQ(Type({"check"},
                 [&](const CommandLine&) {
                   const bool is_right = Variable("CREDENTIALS_DIRECTORY") ==
                                         directory_ / "credentials/outboxd@shop.service";
                   return is_right ? 0 : 99;
                 }),
            geteuid() == 0 ? 0 : static_cast<int>(ExitCode::kDenied));
}

class RootsUnitCommandTest : public UnitCommandTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become the service's user";
    SetUser("nobody");
    LoadCredential();
  }
  // `does` with a signal, once it is in its private folder, to the process that waits for it. The
  // code that this process ended with.
  int CodeAfterSignal(int signal) {
    int ready[2] = {};
    EXPECT_EQ(pipe(ready), 0);
    const pid_t attending = fork();
    if (attending == 0) {
      DefaultSignals();
      _exit(Type({"tail"}, [&](const CommandLine&) {
        EXPECT_EQ(write(ready[1], "x", 1), 1);
        for (;;) pause();
        return 0;
      }));
    }
    char heard = 0;
    EXPECT_EQ(read(ready[0], &heard, 1), 1);
    EXPECT_EQ(PrivateFolders().size(), 1u);
    kill(attending, signal);
    int status = 0;
    waitpid(attending, &status, 0);
    close(ready[0]);
    close(ready[1]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

TEST_F(RootsUnitCommandTest, TheCommandIsOfTheServicesUserForEver) {
  unit().file_mode_mask = 0077;
  EXPECT_EQ(Type({"check"},
                 [&](const CommandLine&) {
                   EXPECT_EQ(getuid(), getpwnam("nobody")->pw_uid);
                   EXPECT_EQ(setuid(0), -1);
                   EXPECT_EQ(Variable("USER"), "nobody");
                   EXPECT_EQ(umask(0), 0077u);
                   return HasFailure() ? 99 : 0;
                 }),
            0);
  EXPECT_EQ(geteuid(), 0u);
}

TEST_F(RootsUnitCommandTest, TheCredentialsAreInAPrivateFolderThatIsRemoved) {
  EXPECT_EQ(Type({"check"},
                 [&](const CommandLine&) {
                   const std::string folder = Variable("CREDENTIALS_DIRECTORY");
                   struct stat status{};
                   EXPECT_EQ(stat(folder.c_str(), &status), 0);
                   EXPECT_EQ(status.st_mode & 07777, 0700u);
                   EXPECT_EQ(status.st_uid, getuid());
                   EXPECT_EQ(stat((folder + "/mysql-password").c_str(), &status), 0);
                   EXPECT_EQ(status.st_mode & 07777, 0400u);
                   EXPECT_EQ(Contents(folder + "/mysql-password"), "secret");
                   return HasFailure() ? 99 : 0;
                 }),
            0);
  EXPECT_THAT(PrivateFolders(), IsEmpty());
}

TEST_F(RootsUnitCommandTest, ACredentialThatIsMissingIsNamedAndLeavesNoFolder) {
  std::filesystem::remove(directory_ / "password");
  const Error error = Refused({"check"});
  EXPECT_EQ(error.kind, ExitCode::kConfiguration);
  EXPECT_THAT(error.message, HasSubstr(directory_ / "password is missing"));
}

TEST_F(RootsUnitCommandTest, TheFolderIsRemovedWhereTheCommandIsKilled) {
  EXPECT_EQ(Type({"check"}, [](const CommandLine&) { return raise(SIGKILL); }), 128 + SIGKILL);
  EXPECT_THAT(PrivateFolders(), IsEmpty());
}

TEST_F(RootsUnitCommandTest, TheFolderIsRemovedWhereTheCommandIsInterrupted) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(CodeAfterSignal(signal), 128 + signal);
    EXPECT_THAT(PrivateFolders(), IsEmpty());
  }
}

TEST_F(RootsUnitCommandTest, WithoutAUserTheCommandIsRoots) {
  SetUser("");
  EXPECT_EQ(Type({"check"}, [](const CommandLine&) { return geteuid() == 0 ? 0 : 99; }), 0);
  EXPECT_THAT(PrivateFolders(), IsEmpty());
}

TEST_F(RootsUnitCommandTest, WhatTheCommandMakesBelongsToTheServicesUser) {
  std::filesystem::permissions(directory_.path(), std::filesystem::perms{0777});
  EXPECT_EQ(Type({"check"},
                 [&](const CommandLine&) {
                   directory_.Write("made", "");
                   return 0;
                 }),
            0);
  struct stat status{};
  ASSERT_EQ(stat((directory_ / "made").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, getpwnam("nobody")->pw_uid);
}

}  // namespace
}  // namespace outboxd
