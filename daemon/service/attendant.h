#pragma once

#include <csignal>
#include <functional>
#include <optional>

#include "daemon/error.h"

namespace outboxd {

// Waits for a child that does the work, so that something can be put away behind it however it
// ends. While the object lives, SIGINT, SIGTERM, SIGHUP and SIGQUIT do not end this process.
//
// The child stays in the process group. So what is typed at the terminal (Ctrl-C, Ctrl-\, and its
// hang-up) and stopping with Ctrl-Z reaches it anyway, and only signals that were sent to this
// process alone are passed on. One that was sent to the whole group reaches it twice, which a
// process that ends does not notice. One thread, and no other may be running.
class Attendant {
 public:
  Attendant();
  // What has arrived and was not passed on then has the effect that it would have had.
  ~Attendant();
  Attendant(const Attendant&) = delete;
  Attendant& operator=(const Attendant&) = delete;

  // Calls `work` in a child, with the signals as they were before this object, and waits until the
  // child has ended: with what `work` returned, without returning from it, by exit(3). Returns the
  // code that it ended with, or 128 and the number of the signal that ended it. If a signal has
  // arrived already, there is no child, and it counts as the one that ended it. `work` must not
  // throw. kState: the system has no room for a process.
  [[nodiscard]] Result<int> Run(const std::function<int()>& work);

 private:
  [[nodiscard]] std::optional<int> Arrived() const;
  [[nodiscard]] int Attend(pid_t child) const;

  // Constant after construction.
  sigset_t watched_{}, former_{};
};

// From now on this process gets SIGTERM when its parent, `parent`, ends in whatever way; also if it
// has ended already. A change of the user undoes it.
void EndWithParent(pid_t parent);

}  // namespace outboxd
