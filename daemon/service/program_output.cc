#include "daemon/service/program_output.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "base/escaped.h"

namespace outboxd {
namespace {

// Zero, or an errno. `to` becomes the program's standard output.
int Spawn(std::vector<std::string>& words, int to, pid_t& process) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int error =
      ::posix_spawnp(&process, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Reads to the end, and keeps one byte more than `bytes_max` at most.
std::string ReadToEnd(int from, std::size_t bytes_max) {
  std::string output;
  char block[4096];
  for (;;) {
    const ssize_t bytes = ::read(from, block, sizeof block);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return output;
    if (output.size() <= bytes_max) output.append(block, static_cast<std::size_t>(bytes));
  }
}

// As wait(2) has it.
int WaitFor(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Result<std::string> OutputOf(std::vector<std::string> words, std::size_t bytes_max) {
  int ends[2] = {};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Fail(ExitCode::kState, "pipe: {}", std::system_category().message(errno));
  }
  pid_t process = 0;
  const int error = Spawn(words, ends[1], process);
  ::close(ends[1]);
  std::string output = error == 0 ? ReadToEnd(ends[0], bytes_max) : "";
  ::close(ends[0]);
  const std::string name = Escaped(words.front());
  if (error != 0) {
    return Fail(ExitCode::kState, "{} cannot be started: {}", name,
                std::system_category().message(error));
  }
  const int status = WaitFor(process);
  if (WIFSIGNALED(status)) {
    return Fail(ExitCode::kConfiguration, "{} was ended by signal {}", name, WTERMSIG(status));
  }
  if (WEXITSTATUS(status) != 0) {
    return Fail(ExitCode::kConfiguration, "{} failed with code {}", name, WEXITSTATUS(status));
  }
  if (output.size() > bytes_max) {
    return Fail(ExitCode::kConfiguration, "{} printed more than {} bytes", name, bytes_max);
  }
  return output;
}

}  // namespace outboxd
