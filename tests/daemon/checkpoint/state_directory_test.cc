#include "daemon/checkpoint/state_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/daemon/temporary_directory.h"

namespace outboxd {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Another process that holds the lock of a state directory until it is told to end.
class OtherProcess {
 public:
  explicit OtherProcess(const std::string& path) {
    int ready[2];
    int end[2];
    if (pipe(ready) != 0 || pipe(end) != 0) return;
    process_ = fork();
    if (process_ == 0) {
      close(end[1]);
      StateDirectory state(path);
      const bool locked = state.Lock().has_value();
      char byte = locked ? '1' : '0';
      if (write(ready[1], &byte, 1) != 1 || read(end[0], &byte, 1) < 0) _exit(2);
      _exit(locked ? 0 : 1);
    }
    close(ready[1]);
    close(end[0]);
    char byte = 0;
    locked_ = read(ready[0], &byte, 1) == 1 && byte == '1';
    close(ready[0]);
    end_ = end[1];
  }
  ~OtherProcess() { End(); }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  void End() {
    if (end_ < 0) return;
    close(end_);
    end_ = -1;
    waitpid(process_, nullptr, 0);
  }
  [[nodiscard]] bool locked() const { return locked_; }
  [[nodiscard]] pid_t process() const { return process_; }

 private:
  pid_t process_ = -1;
  bool locked_ = false;
  int end_ = -1;
};

HeldEvent MakeHeld() {
  HeldEvent held;
  held.position = "9c3a6f2e-1d4b-11f0-8a5e-0242ac120002:7:1";
  held.id = "evt-1";
  held.table = "shop.outbox";
  held.topic = "outbox.event.Order";
  held.reason = "broker: topic is missing";
  held.hint = "kafka-topics.sh --create";
  held.since_us = 1'760'000'000'000'000;
  return held;
}

class StateDirectoryTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
};

TEST_F(StateDirectoryTest, LockingCreatesTheFolderForItsOwnerOnly) {
  StateDirectory state(directory_ / "a/b");
  ASSERT_TRUE(state.Lock());
  struct stat status{};
  ASSERT_EQ(stat((directory_ / "a/b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(StateDirectoryTest, ASecondProcessIsRefusedAndToldWhoHasIt) {
  OtherProcess other(directory_.path());
  ASSERT_TRUE(other.locked());
  StateDirectory state(directory_.path());
  const auto locked = state.Lock();
  ASSERT_FALSE(locked.has_value());
  EXPECT_EQ(locked.error().kind, ExitCode::kOtherActive);
  EXPECT_THAT(locked.error().message, HasSubstr("process " + std::to_string(other.process())));
  EXPECT_NE(locked.error().hint, "");
  EXPECT_EQ(state.LockHolder(), other.process());
}

TEST_F(StateDirectoryTest, TheLockEndsWithItsProcess) {
  OtherProcess other(directory_.path());
  ASSERT_TRUE(other.locked());
  other.End();
  StateDirectory state(directory_.path());
  EXPECT_EQ(state.LockHolder(), std::nullopt);
  EXPECT_TRUE(state.Lock());
}

TEST_F(StateDirectoryTest, TheLockMovesWithTheObject) {
  StateDirectory state(directory_.path());
  ASSERT_TRUE(state.Lock());
  StateDirectory moved(std::move(state));
  EXPECT_EQ(StateDirectory(directory_.path()).LockHolder(), getpid());
  moved = StateDirectory(directory_ / "other");
  EXPECT_EQ(StateDirectory(directory_.path()).LockHolder(), std::nullopt);
}

TEST_F(StateDirectoryTest, NobodyHoldsAFolderThatIsNotThere) {
  EXPECT_EQ(StateDirectory(directory_ / "gone").LockHolder(), std::nullopt);
}

TEST_F(StateDirectoryTest, AFolderThatCannotBeMadeIsNamed) {
  directory_.Write("file", "");
  const auto locked = StateDirectory(directory_ / "file/state").Lock();
  ASSERT_FALSE(locked.has_value());
  EXPECT_EQ(locked.error().kind, ExitCode::kState);
  EXPECT_THAT(locked.error().message, HasSubstr("file/state: mkdir failed: Not a directory"));
}

// A folder of another user, and this process as root.
class ForeignStateDirectoryTest : public StateDirectoryTest {
 protected:
  static constexpr uid_t kOwner = 12'345;
  static constexpr gid_t kGroup = 23'456;

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can make a folder of another user";
    ASSERT_EQ(chown(directory_.path().c_str(), kOwner, kGroup), 0);
  }
  std::pair<uid_t, gid_t> OwnerOf(const std::string& name) {
    struct stat status{};
    EXPECT_EQ(lstat((directory_ / name).c_str(), &status), 0) << name;
    return {status.st_uid, status.st_gid};
  }
};

TEST_F(ForeignStateDirectoryTest, WhatRootMakesBelongsToTheFoldersOwner) {
  StateDirectory state(directory_.path());
  ASSERT_TRUE(state.Lock());
  ASSERT_TRUE(state.RequestSkip("uuid:1:1"));
  EXPECT_EQ(OwnerOf("skip"), std::pair(kOwner, kGroup));
  ASSERT_TRUE(state.RecordSkipped({.held = MakeHeld(), .key = {}, .value = {}, .headers = {}}));
  for (const char* name : {"lock", "skipped.jsonl", "passed"}) {
    EXPECT_EQ(OwnerOf(name), std::pair(kOwner, kGroup)) << name;
  }
  ASSERT_TRUE(StateDirectory(directory_ / "below/it").Lock());
  for (const char* name : {"below", "below/it", "below/it/lock"}) {
    EXPECT_EQ(OwnerOf(name), std::pair(kOwner, kGroup)) << name;
  }
}

TEST_F(ForeignStateDirectoryTest, AnotherUserIsToldWhoMay) {
  constexpr uid_t kOther = 54'321;
  StateDirectory state(directory_.path());
  ASSERT_EQ(seteuid(kOther), 0);
  const auto requested = state.RequestSkip("uuid:1:1");
  const auto held = state.ReadHeld();
  ASSERT_EQ(seteuid(0), 0);
  for (const std::string& text : {requested.error().ToText(), held.error().ToText()}) {
    EXPECT_THAT(text, HasSubstr("Permission denied HINT: " + directory_.path() +
                                " belongs to user 12345: run this as 12345 or root (sudo -u"
                                " '#12345' outboxd ...)"));
  }
}

TEST_F(ForeignStateDirectoryTest, AFolderOfRootIsToBeGivenToTheUser) {
  constexpr uid_t kOther = 54'321;
  ASSERT_EQ(::chown(directory_.path().c_str(), 0, 0), 0);
  StateDirectory state(directory_ / "state");
  ASSERT_EQ(seteuid(kOther), 0);
  const auto locked = state.Lock();
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_FALSE(locked);
  EXPECT_THAT(locked.error().ToText(),
              HasSubstr(directory_.path() + " belongs to root: let root give what is needed there"
                                            " to the user of this process (chown 54321:"));
}

TEST_F(StateDirectoryTest, KeepsTheHeldEventUntilItIsCleared) {
  StateDirectory state(directory_.path());
  EXPECT_EQ(state.ReadHeld().value(), std::nullopt);
  ASSERT_TRUE(state.WriteHeld(MakeHeld()));
  const auto held = state.ReadHeld().value();
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(held->position, MakeHeld().position);
  EXPECT_EQ(held->id, "evt-1");
  EXPECT_EQ(held->table, "shop.outbox");
  EXPECT_EQ(held->topic, "outbox.event.Order");
  EXPECT_EQ(held->reason, "broker: topic is missing");
  EXPECT_EQ(held->since_us, MakeHeld().since_us);
  ASSERT_TRUE(state.ClearHeld());
  ASSERT_TRUE(state.ClearHeld());
  EXPECT_EQ(state.ReadHeld().value(), std::nullopt);
}

TEST_F(StateDirectoryTest, TakesForeignBytesInAHeldEvent) {
  HeldEvent held = MakeHeld();
  held.topic = "a\xFF";
  StateDirectory state(directory_.path());
  ASSERT_TRUE(state.WriteHeld(held));
  EXPECT_TRUE(state.ReadHeld().has_value());
}

TEST_F(StateDirectoryTest, ReadsAHeldEventOfAVersionThatWroteTheHintBehindTheReason) {
  directory_.Write("held", R"({"position":"u:7:1","id":"evt-1","table":"shop.outbox","topic":"t",)"
                           R"("reason":"topic is missing HINT: create it","since_us":1})");
  const auto held = StateDirectory(directory_.path()).ReadHeld();
  ASSERT_TRUE(held && *held);
  EXPECT_EQ((*held)->reason, "topic is missing");
  EXPECT_EQ((*held)->hint, "create it");
}

TEST_F(StateDirectoryTest, RefusesFilesThatOutboxdDidNotWrite) {
  StateDirectory state(directory_.path());
  directory_.Write("held", "{\"position\":1}");
  EXPECT_EQ(state.ReadHeld().error().kind, ExitCode::kState);
  directory_.Write("skip", "not JSON");
  EXPECT_EQ(state.ReadSkipRequest().error().hint, "remove the file");
}

TEST_F(StateDirectoryTest, ASkipRequestEndsOnlyWhenItsEventIsRecorded) {
  StateDirectory state(directory_.path());
  EXPECT_EQ(state.ReadSkipRequest().value(), std::nullopt);
  ASSERT_TRUE(state.RequestSkip(MakeHeld().position));
  EXPECT_EQ(state.ReadSkipRequest().value(), MakeHeld().position);
  ASSERT_TRUE(state.RecordSkipped({MakeHeld(), "key", "\xFF\x00", {}}));
  EXPECT_EQ(state.ReadSkipRequest().value(), std::nullopt);
}

TEST_F(StateDirectoryTest, RecordsSkippedEventsWithTheirContent) {
  StateDirectory state(directory_.path());
  ASSERT_TRUE(state.RecordSkipped({MakeHeld(),
                                   "key",
                                   std::string("\xFF\x00", 2),
                                   {{"id", "evt-1"}, {"none", {}}, {"raw", "\xFE"}}}));
  ASSERT_TRUE(state.RecordSkipped({MakeHeld(), {}, "{\"a\":1}\n", {}}));
  std::istringstream lines(directory_.Read("skipped.jsonl"));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const auto first = nlohmann::json::parse(line);
  EXPECT_EQ(first["id"], "evt-1");
  EXPECT_EQ(first["key"], "key");
  EXPECT_EQ(first["value_base64"], "/wA=");
  EXPECT_EQ(first["headers"].dump(), R"([["id","evt-1"],["none",null],["raw",{"base64":"/g=="}]])");
  ASSERT_TRUE(std::getline(lines, line));
  const auto second = nlohmann::json::parse(line);
  EXPECT_EQ(second["value"], "{\"a\":1}\n");
  EXPECT_TRUE(second["key"].is_null());
  EXPECT_FALSE(std::getline(lines, line));
}

TEST_F(StateDirectoryTest, ARecordAfterATornOneBeginsOnALineOfItsOwn) {
  directory_.Write("skipped.jsonl", "{\"torn");
  StateDirectory state(directory_.path());
  ASSERT_TRUE(state.RecordSkipped({MakeHeld(), "", "", {}}));
  EXPECT_THAT(directory_.Read("skipped.jsonl"), testing::StartsWith("{\"torn\n{\"position\""));
}

TEST_F(StateDirectoryTest, ARecordThatFailsKeepsTheRequest) {
  StateDirectory state(directory_.path());
  ASSERT_TRUE(state.RequestSkip(MakeHeld().position));
  mkdir((directory_ / "skipped.jsonl").c_str(), 0700);
  const auto recorded = state.RecordSkipped({MakeHeld(), "", "", {}});
  ASSERT_FALSE(recorded.has_value());
  EXPECT_THAT(recorded.error().message, HasSubstr("skipped.jsonl: open failed: Is a directory"));
  EXPECT_TRUE(state.ReadSkipRequest().value().has_value());
}

}  // namespace
}  // namespace outboxd
