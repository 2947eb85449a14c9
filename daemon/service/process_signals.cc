#include "daemon/service/process_signals.h"

#include <csignal>
#include <ctime>
#include <initializer_list>

namespace outboxd {
namespace {

sigset_t SetOf(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

bool Arrived(const sigset_t& set) {
  const timespec at_once{};
  return sigtimedwait(&set, nullptr, &at_once) > 0;
}

}  // namespace

ProcessSignals::ProcessSignals(Hangup hangup) {
  const bool reloads = hangup == Hangup::kReloads;
  const sigset_t set = reloads ? SetOf({SIGTERM, SIGINT, SIGHUP}) : SetOf({SIGTERM, SIGINT});
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // One that is ignored never becomes pending.
  std::signal(SIGHUP, reloads ? SIG_DFL : SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

bool ProcessSignals::StopArrived() { return Arrived(SetOf({SIGTERM, SIGINT})); }

bool ProcessSignals::ReloadArrived() { return Arrived(SetOf({SIGHUP})); }

}  // namespace outboxd
