#include "daemon/service/attendant.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "tests/daemon/forked.h"

namespace outboxd {
namespace {

constexpr int kWrong = 99;

// Blocks until the other end has spoken or gone.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(ends_), 0); }
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void Say() const { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
  void Hear() const {
    char heard = 0;
    EXPECT_EQ(read(ends_[0], &heard, 1), 1);
  }
  // The others still have it open as long as they live.
  void CloseOwnEnd() {
    close(ends_[1]);
    ends_[1] = -1;
  }
  [[nodiscard]] bool IsClosed() const {
    char heard = 0;
    return read(ends_[0], &heard, 1) == 0;
  }

 private:
  int ends_[2] = {};
};

// Runs `work` under an attendant, in a process that gets `signal` once `work` says that it is
// ready; the exit code of that process, 128 + N where a signal ended it.
int CodeAfterSignal(int signal, const std::function<int(const Pipe&)>& work) {
  const Pipe ready;
  const pid_t attending = fork();
  if (attending == 0) {
    Attendant attendant;
    _exit(attendant.Run([&] { return work(ready); }).value_or(kWrong));
  }
  ready.Hear();
  kill(attending, signal);
  int status = 0;
  waitpid(attending, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int WaitForSignal(const Pipe& ready) {
  ready.Say();
  for (;;) pause();
}

class AttendantTest : public testing::Test {
 protected:
  AttendantTest() { DefaultSignals(); }
};

TEST_F(AttendantTest, HandsOnTheCodeOfTheChild) {
  Attendant attendant;
  EXPECT_EQ(attendant.Run([] { return 0; }).value(), 0);
  EXPECT_EQ(attendant.Run([] { return 83; }).value(), 83);
}

TEST_F(AttendantTest, AChildThatASignalEndedHasItsNumber) {
  Attendant attendant;
  EXPECT_EQ(attendant.Run([] { return raise(SIGKILL); }).value(), 128 + SIGKILL);
  EXPECT_EQ(attendant.Run([] { return raise(SIGTERM); }).value(), 128 + SIGTERM);
}

TEST_F(AttendantTest, WhatWasSentToTheParentReachesTheChildAndTheParentStays) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    EXPECT_EQ(CodeAfterSignal(signal, WaitForSignal), 128 + signal);
  }
}

TEST_F(AttendantTest, AChildMayEndInItsOwnWay) {
  const auto work = [](const Pipe& ready) {
    std::signal(SIGINT, [](int) { _exit(7); });
    return WaitForSignal(ready);
  };
  EXPECT_EQ(CodeAfterSignal(SIGINT, work), 7);
}

TEST_F(AttendantTest, TheChildHasTheSignalsAsTheyWere) {
  Attendant attendant;
  EXPECT_EQ(attendant
                .Run([] {
                  sigset_t blocked;
                  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
                  return sigismember(&blocked, SIGINT) + sigismember(&blocked, SIGCHLD);
                })
                .value(),
            0);
}

TEST_F(AttendantTest, WhatArrivedBeforeLeavesNoChildBehind) {
  EXPECT_EQ(CodeOfFork([] {
              Attendant attendant;
              raise(SIGINT);
              return attendant.Run([] { return kWrong; }).value_or(kWrong);
            }),
            128 + SIGINT);
}

TEST_F(AttendantTest, ASignalHasItsEffectAgainWhenTheAttendantHasGone) {
  EXPECT_EQ(CodeOfFork([] {
              {
                const Attendant attendant;
              }
              raise(SIGTERM);
              return 0;
            }),
            -1);
}

TEST_F(AttendantTest, AnIgnoredChildSignalDoesNotHideTheCode) {
  EXPECT_EQ(CodeOfFork([] {
              std::signal(SIGCHLD, SIG_IGN);
              Attendant attendant;
              return attendant.Run([] { return 83; }).value_or(kWrong);
            }),
            83);
}

TEST_F(AttendantTest, TheChildEndsWithItsParent) {
  Pipe living;
  const Pipe ready;
  const pid_t attending = fork();
  if (attending == 0) {
    Attendant attendant;
    const pid_t parent = getpid();
    _exit(attendant
              .Run([&] {
                EndWithParent(parent);
                return WaitForSignal(ready);
              })
              .value_or(kWrong));
  }
  ready.Hear();
  kill(attending, SIGKILL);
  waitpid(attending, nullptr, 0);
  living.CloseOwnEnd();
  EXPECT_TRUE(living.IsClosed());
}

}  // namespace
}  // namespace outboxd
