#include "daemon/service/attendant.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <system_error>

namespace outboxd {
namespace {

constexpr int kSignalBase = 128;  // As shells tell that a signal ended a process.

// Its terminal or the kernel sent it, and so to the whole process group.
bool IsOfTerminal(const siginfo_t& signal) { return signal.si_code == SI_KERNEL; }

}  // namespace

Attendant::Attendant() {
  sigemptyset(&watched_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD}) {
    sigaddset(&watched_, signal);
  }
  // Where it is ignored, a child would vanish without its code.
  std::signal(SIGCHLD, SIG_DFL);
  pthread_sigmask(SIG_BLOCK, &watched_, &former_);
}

Attendant::~Attendant() { pthread_sigmask(SIG_SETMASK, &former_, nullptr); }

std::optional<int> Attendant::Arrived() const {
  sigset_t ending = watched_;
  sigdelset(&ending, SIGCHLD);
  const timespec at_once{};
  const int signal = sigtimedwait(&ending, nullptr, &at_once);
  if (signal <= 0) return std::nullopt;
  return signal;
}

Result<int> Attendant::Run(const std::function<int()>& work) {
  if (const auto signal = Arrived()) return kSignalBase + *signal;
  // Otherwise both processes would print what waits in the buffers.
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    return Fail(ExitCode::kState, "fork: {}", std::system_category().message(errno));
  }
  if (child == 0) {
    pthread_sigmask(SIG_SETMASK, &former_, nullptr);
    std::exit([&work]() noexcept { return work(); }());
  }
  return Attend(child);
}

int Attendant::Attend(pid_t child) const {
  for (;;) {
    siginfo_t signal{};
    const int number = sigwaitinfo(&watched_, &signal);
    if (number > 0 && number != SIGCHLD && !IsOfTerminal(signal)) ::kill(child, number);
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) != child) continue;
    return WIFSIGNALED(status) ? kSignalBase + WTERMSIG(status) : WEXITSTATUS(status);
  }
}

void EndWithParent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  if (::getppid() != parent) std::raise(SIGTERM);
}

}  // namespace outboxd
