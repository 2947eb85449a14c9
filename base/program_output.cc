#include "base/program_output.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "base/escaped.h"

namespace outboxd {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook{50};

// A program of a process group of its own, which ends with the object.
class Program {
 public:
  Program() = default;
  ~Program() {
    if (output_ >= 0) ::close(output_);
    if (process_ > 0 && !status_) Kill();
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Zero, or an errno.
  int Start(std::vector<std::string>& words) {
    int ends[2] = {};
    if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
    output_ = ends[0];
    const int error = Spawn(words, ends[1]);
    ::close(ends[1]);
    return error;
  }

  // Waits for `kLook` at most. Whether its output is at its end; keeps one byte more than
  // `bytes_max` at most.
  bool Read(std::string& output, std::size_t bytes_max) {
    pollfd waiting{output_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(kLook.count())) <= 0) return false;
    std::array<char, 4096> block;
    const ssize_t bytes = ::read(output_, block.data(), block.size());
    if (bytes < 0 && errno == EINTR) return false;
    if (bytes <= 0) return true;
    if (output.size() <= bytes_max) output.append(block.data(), static_cast<std::size_t>(bytes));
    return false;
  }

  // Waits for a moment. As wait(2) has it; none: it runs on.
  std::optional<int> Status() {
    int status = 0;
    if (::waitpid(process_, &status, WNOHANG) == process_) return status_ = status;
    ::poll(nullptr, 0, 1);
    return std::nullopt;
  }

 private:
  // `to` becomes the program's standard output.
  int Spawn(std::vector<std::string>& words, int to) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    const int error =
        ::posix_spawnp(&process_, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) process_ = 0;
    return error;
  }

  // With what it has started itself.
  void Kill() const {
    ::kill(-process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  int output_ = -1;
  pid_t process_ = 0;
  std::optional<int> status_;
};

}  // namespace

std::expected<std::string, BasicError<ProgramFault>> OutputOf(std::vector<std::string> words,
                                                              const ProgramLimits& limits) {
  const std::string name = Escaped(words.front());
  Program program;
  if (const int error = program.Start(words); error != 0) {
    return Fail(ProgramFault::kNotStarted, "{} cannot be started: {}", name,
                std::system_category().message(error));
  }
  const Clock::time_point begun = Clock::now();
  std::string output;
  bool is_read = false;
  std::optional<int> status;
  while (!status) {
    if (limits.is_over && limits.is_over()) return Fail(ProgramFault::kInterrupted, "interrupted");
    if (limits.time_max && Clock::now() - begun >= *limits.time_max) {
      return Fail(ProgramFault::kTooLong, "{} did not end within {} ms, and was killed", name,
                  limits.time_max->count());
    }
    if (is_read) {
      status = program.Status();
    } else {
      is_read = program.Read(output, limits.bytes_max);
    }
  }
  if (WIFSIGNALED(*status)) {
    return Fail(ProgramFault::kFailed, "{} was ended by signal {}", name, WTERMSIG(*status));
  }
  if (WEXITSTATUS(*status) != 0) {
    return Fail(ProgramFault::kFailed, "{} failed with code {}", name, WEXITSTATUS(*status));
  }
  if (output.size() > limits.bytes_max) {
    return Fail(ProgramFault::kTooMuch, "{} printed more than {} bytes", name, limits.bytes_max);
  }
  return output;
}

}  // namespace outboxd
