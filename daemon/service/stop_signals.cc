#include "daemon/service/stop_signals.h"

#include <csignal>
#include <ctime>

namespace outboxd {
namespace {

sigset_t Watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = Watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

bool StopSignals::Arrived() {
  const sigset_t set = Watched();
  const timespec at_once{};
  return sigtimedwait(&set, nullptr, &at_once) > 0;
}

}  // namespace outboxd
